#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { describeFailure, renderFailure } from './cli/failure.ts';
import { runProgram } from './cli/program.ts';
import { screenOf } from './cli/terminal.ts';

/**
 * The heap may double before it is collected as a whole. By default a small one may quadruple, and
 * a backfill promotes enough to get there: for no gain in speed, and memory is to stay bounded.
 */
setFlagsFromString('--heap-growing-percent=100');

/**
 * Where objects of one place in the code outlived two collections for a while, they are made among
 * the old ones from then on, and keep all they refer to. In every other backfill that befell the
 * records of a page: four times as much was promoted, and a fifth of the speed was gone.
 */
setFlagsFromString('--no-allocation-site-pretenuring');

/**
 * What a start makes is there to stay: marking it, which V8 begins once 15 MB are alive, finds next to
 * nothing, for some 15 ms.
 */
const START_MS = 2_000;
setFlagsFromString('--no-incremental-marking');
setTimeout(() => setFlagsFromString('--incremental-marking'), START_MS).unref();

/** What still holds the event loop open by then must not hold up the shell. */
const LINGER_MS = 2_000;

const stopping = new AbortController();

function stop(): void {
  if (stopping.signal.aborted) process.exit(1);
  stopping.abort();
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

function fail(error: unknown): void {
  const lines = renderFailure(describeFailure(error), screenOf(process.stderr));
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

/** `clarify-sync … | head` has read enough: nobody is left to write to. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') fail(error);
  stopping.abort();
});

process.exitCode = await runProgram({
  args: process.argv.slice(2),
  terminal: { out: process.stdout, err: process.stderr },
  signal: stopping.signal,
  // Where nobody asks for it, a terminal that hangs up ends the process, as ever.
  onHangup(listener) {
    process.on('SIGHUP', listener);
    return () => process.off('SIGHUP', listener);
  },
});
setTimeout(() => process.exit(), LINGER_MS).unref();
