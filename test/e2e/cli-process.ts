import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** Only what a process needs to run at all: no setting of the machine may reach it. */
const BARE = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

/** Less than a test may take: one that is ended from outside does not say what it waited for. */
const SAW_WITHIN_MS = 60_000;

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that runs, as its own process. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
  /** Resolves once the output so far matches; rejects where the process ends before, or nothing comes for a minute. */
  saw(pattern: RegExp): Promise<string>;
}

export function startCli(args: readonly string[], { env = {}, cwd }: CliOptions = {}): RunningCli {
  const bare = Object.fromEntries(BARE.map((name) => [name, process.env[name]]));
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...bare, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const looking = new Set<() => void>();
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
    for (const look of looking) look();
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
    for (const look of looking) look();
  });
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    child,
    ended,
    saw: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = (what: string) => {
          looking.delete(look);
          clearTimeout(timer);
          reject(new Error(`${what} ${pattern}:\n${stdout}${stderr}`));
        };
        const timer = setTimeout(() => fail('not within a minute:'), SAW_WITHIN_MS);
        const look = () => {
          const found = pattern.exec(stdout + stderr);
          if (found === null) return;
          looking.delete(look);
          clearTimeout(timer);
          resolve(found[1] ?? found[0]);
        };
        looking.add(look);
        void ended.then(() => fail('ended without'));
        look();
      }),
  };
}

export async function runCli(args: readonly string[], options?: CliOptions): Promise<CliResult> {
  return await startCli(args, options).ended;
}

/** The last line of standard output, parsed: the result, whether or not progress went before. */
export function lastDocument({ stdout }: CliResult): Record<string, unknown> {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed === 'object' && parsed !== null) return { ...parsed };
  throw new Error(`no JSON document: ${line}`);
}
