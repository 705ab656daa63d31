import { SyncError, UsageError } from '../domain/errors.ts';
import { prose } from './fit.ts';
import { printable, type Screen } from './terminal.ts';

/** An error as a person or a script gets to see it: never with a stack, a key or a value. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** Every mistake, where there can be several. */
  readonly problems: readonly string[];
}

/** Whose messages are the engine's own and quote no data; a SyntaxError quotes what it parsed. */
const WITHOUT_DATA: ReadonlySet<string> = new Set(['TypeError', 'ReferenceError']);

const SYSTEM_HINTS: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'free disk space there, then run the command again'],
  ['EACCES', 'give this user the right to it, or run in another folder'],
  ['EPERM', 'give this user the right to it, or run in another folder'],
  ['EROFS', 'run in a folder that can be written'],
  ['EMFILE', 'raise the limit of open files (`ulimit -n`)'],
]);

const REPORT = 'this is a bug: please report it, with this line';

export function describeFailure(error: unknown): Failure {
  if (error instanceof SyncError) {
    const problems = error instanceof UsageError ? error.problems : [];
    return { code: error.code, message: error.message, hint: hintFor(error), problems };
  }
  if (isAbort(error)) {
    const hint = 'run the command again: it goes on where it stopped';
    return { code: 'interrupted', message: 'stopped before it was done', hint, problems: [] };
  }
  if (isSystemError(error)) {
    const { code, syscall, path } = error;
    const message = `${syscall} failed with ${code}${path === undefined ? '' : `: ${path}`}`;
    const hint = SYSTEM_HINTS.get(code) ?? 'docs/errors.md explains system';
    return { code: 'system', message, hint, problems: [] };
  }
  return { code: 'unexpected', message: describeBug(error), hint: REPORT, problems: [] };
}

/** Nobody is left without a next step. */
function hintFor(error: SyncError): string {
  if (error.hint !== undefined) return error.hint;
  const explained = `docs/errors.md explains ${error.code}`;
  return error.disposition === 'retry'
    ? `run the command again: it goes on where it stopped; ${explained}`
    : explained;
}

/** One line for the error, more only where there are several mistakes, one for what to do. */
export function renderFailure(failure: Failure, screen: Screen): string[] {
  const { code, message, hint, problems } = failure;
  const head = screen.paint('red', `error [${code}]:`);
  const lines =
    problems.length > 1
      ? [`${head} ${problems.length} mistakes`, ...problems.map((each) => `  - ${printable(each)}`)]
      : [`${head} ${printable(message)}`];
  return prose(hint === null ? lines : [...lines, `→ ${printable(hint)}`], screen);
}

/** Where it happened, for whoever mends it; only frames, for messages may quote what was read. */
export function stackFrames(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack.split('\n').filter((line) => line.startsWith('    at '));
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

function describeBug(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is no error was thrown';
  const said = WITHOUT_DATA.has(error.name) ? `: ${error.message}` : '';
  const frame = stackFrames(error)[0]?.match(/\/((?:src|dist|node_modules)\/[^)]+)\)?$/)?.[1];
  return `${error.name}${said}${frame === undefined ? '' : ` at ${frame}`}`;
}
