import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { SyncError } from '../domain/errors.ts';
import type { LogLevel } from './config/environment.ts';

export type { Logger };

export interface LogOptions {
  readonly level: LogLevel;
  /** Makes of each line what is written; default the line itself. */
  readonly format?: (line: string) => string;
  /** Where lines go; default standard error. */
  readonly stream?: DestinationStream;
}

/** Nobody should log these; where somebody does, the value stays out. */
const secretNames = [
  'apiKey',
  'authorization',
  'Authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'databaseUrl',
  'connectionString',
];
const redaction = {
  paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  censor: '[redacted]',
};

const MAX_CAUSES = 8;

/**
 * Only what we know to be safe of an error: libraries hang whole requests, headers and rows on
 * theirs. A SyntaxError quotes the text it choked on, and an address may carry a filter's value.
 */
function describeError(error: unknown, frames: 'all' | 'of bugs', depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : typeof error;
  const message =
    error instanceof SyntaxError ? 'not well-formed' : error.message.replace(/\?[^\s)"']+/g, '?…');
  const lines = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    type: error.name,
    message,
    code,
    ...(error instanceof SyncError && { disposition: error.disposition, hint: error.hint }),
    ...((frames === 'all' || !(error instanceof SyncError)) && {
      stack: [`${error.name}: ${message}`, ...lines].join('\n'),
    }),
    ...(error.cause !== undefined &&
      depth < MAX_CAUSES && { cause: describeError(error.cause, frames, depth + 1) }),
  };
}

/** What is classified says enough by itself; a bug has to be found. */
function serializersFor(level: string) {
  const frames = level === 'debug' || level === 'trace' ? 'all' : 'of bugs';
  return { err: (error: unknown) => describeError(error, frames) };
}

/** What a program that embeds us is told: by a logger of its own, or nothing. */
export function logFor(given: Logger | undefined): Logger {
  return given === undefined ? createLog({ level: 'silent' }) : safeChild(given);
}

/** Somebody else's logger, which must not write out whole errors and secrets either. */
function safeChild(logger: Logger): Logger {
  return logger.child({}, { serializers: serializersFor(logger.level), redact: redaction });
}

/** Writes synchronously: what is logged last before a crash is what matters most. */
export function createLog(options: LogOptions): Logger {
  const sink = options.stream ?? destination({ fd: 2, sync: true });
  const { format } = options;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: serializersFor(options.level),
      redact: redaction,
    },
    format === undefined ? sink : { write: (line) => sink.write(format(line)) },
  );
}

/** On standard error: coloured lines on a terminal, which are loaded for it alone. */
export async function openLog(level: LogLevel): Promise<Logger> {
  if (!process.stderr.isTTY) return createLog({ level });
  const { lineForReaders } = await import('./log-lines.ts');
  return createLog({ level, format: lineForReaders() });
}
