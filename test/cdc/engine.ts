import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';

/** An event as the engine hands it out: key and value as Debezium's JSON, without schemas. */
const eventSchema = z.object({
  topic: z.string(),
  key: z.record(z.string(), z.unknown()).nullable(),
  value: z
    .object({
      op: z.string().optional(),
      before: z.record(z.string(), z.unknown()).nullish(),
      after: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullable(),
});
export type StreamEvent = z.infer<typeof eventSchema>;

export interface Engine {
  /** Everything it has handed out so far. */
  readonly events: readonly StreamEvent[];
  stop(): Promise<void>;
}

const HERE = fileURLToPath(new URL('./debezium/', import.meta.url));
const run = promisify(execFile);

const ways = [
  'The test of the change stream needs a JDK 17 or newer and Maven 3.8 or newer:',
  '  apt-get install openjdk-17-jdk-headless maven && npm run test:cdc',
].join('\n');

/** The class path of the engine; fetched on first use. @throws Error that says what is missing. */
export async function findEngine(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-cdc-'));
  const file = join(folder, 'classpath');
  try {
    await run('java', ['--version']);
    await run('javac', ['--version']);
    await run('mvn', ['--version']);
  } catch (cause) {
    throw new Error(ways, { cause });
  }
  try {
    const goal = ['dependency:build-classpath', `-Dmdep.outputFile=${file}`];
    await run('mvn', ['-q', '-B', '-f', join(HERE, 'pom.xml'), ...goal]);
    return (await readFile(file, 'utf8')).trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts it in a process of its own; `properties` are those of the engine and its connector. */
export async function startEngine(
  classPath: string,
  properties: Readonly<Record<string, string>>,
): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-cdc-'));
  const file = join(folder, 'engine.properties');
  const all = { 'offset.storage.file.filename': join(folder, 'offsets'), ...properties };
  const lines = Object.entries(all).map(
    ([name, value]) => `${name}=${value.replace(/\\/g, '\\\\')}`,
  );
  await writeFile(file, lines.join('\n'));
  const quiet = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Xmx256m'];
  const child = spawn('java', [...quiet, '-cp', classPath, join(HERE, 'Stream.java'), file], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const events: StreamEvent[] = [];
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = `${said}${String(chunk)}`.slice(-20_000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    events.push(eventSchema.parse(JSON.parse(line)));
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    events,
    async stop() {
      child.stdin.end();
      const code = await ended;
      await rm(folder, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the engine ended with ${String(code)}:\n${said}`);
    },
  };
}
