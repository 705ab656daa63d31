import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What became of a process of ours. */
export interface Finished {
  readonly stdout: string;
  /** Highest resident memory, bytes. */
  readonly residentBytes: number;
  /** Processor time, user and system. */
  readonly processorMs: number;
  readonly elapsedMs: number;
}

const children = new Set<ChildProcess>();

/** So that {@link endChildren} finds it for as long as it runs. */
function remember(child: ChildProcess): void {
  children.add(child);
  child.once('close', () => children.delete(child));
}

/** Ends whatever was started and still runs, without a word to whoever waits for it. */
export function endChildren(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** Tells on descriptor 3 what the process has used, so that nothing has to be installed. */
const REPORT = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs';
   process.on('exit', () => writeSync(3, JSON.stringify(process.resourceUsage())));`,
)}`;

/** Runs `node` with these arguments to its end. @throws where it fails, with what it said. */
export async function runNode(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  goodCodes: readonly number[] = [0],
): Promise<Finished> {
  return await runToEnd(process.execPath, ['--import', REPORT, ...args], { env, goodCodes });
}

/**
 * Runs a program to its end that tells on descriptor 3 what it has used, as `process.resourceUsage()`
 * does. @throws where it fails, with what it said.
 */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly goodCodes?: readonly number[];
  },
): Promise<Finished> {
  const { env = {}, cwd, goodCodes = [0] } = options;
  const startedMs = performance.now();
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  });
  remember(child);
  const [stdout, stderr, usage] = [child.stdout, child.stderr, child.stdio[3]].map(collect);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const elapsedMs = performance.now() - startedMs;
  const said = [await stdout, await stderr].map((text) => text ?? '');
  if (code === null || !goodCodes.includes(code))
    throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${said.join('\n')}`);
  const used: { maxRSS: number; userCPUTime: number; systemCPUTime: number } = JSON.parse(
    (await usage) ?? '',
  );
  return {
    stdout: said[0] ?? '',
    residentBytes: used.maxRSS * 1024,
    processorMs: (used.userCPUTime + used.systemCPUTime) / 1000,
    elapsedMs,
  };
}

async function collect(stream: unknown): Promise<string> {
  if (!isReadable(stream)) return '';
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

function isReadable(stream: unknown): stream is AsyncIterable<unknown> {
  return typeof stream === 'object' && stream !== null && Symbol.asyncIterator in stream;
}

/** A process that goes on until it is stopped. */
export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts one that says nothing worth keeping. */
export function startSilently(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  return { pid: child.pid ?? 0, stop: stopper(child) };
}

/** Starts one whose log, on standard error, is read line by line. */
export function startAndFollow(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): Running {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  createInterface({ input: child.stderr }).on('line', onLine);
  return { pid: child.pid ?? 0, stop: stopper(child) };
}

/** Starts one that says on its first line where it is. */
export async function startAndListen(
  args: readonly string[],
): Promise<Running & { readonly line: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = stopper(child);
  for await (const line of createInterface({ input: child.stdout })) {
    child.stdout.resume();
    return { line, pid: child.pid ?? 0, stop };
  }
  await stop();
  throw new Error(`node ${args.join(' ')} ended before it was ready`);
}

function stopper(child: ChildProcess): () => Promise<void> {
  remember(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}
