import { MultiBar, type SingleBar } from 'cli-progress';
import { showCount, showSeconds } from './quantity.ts';
import { type OutputStream, printable, type Terminal } from './terminal.ts';

/** How far one object has been read. */
export interface ProgressUpdate {
  readonly object: string;
  /** Records read so far in this run. */
  readonly read: number;
  /** How many there are, where the CRM says. */
  readonly total: number | null;
}

/** Tells how far a command is; `stop` leaves the terminal as it was and may be called twice. */
export interface Progress {
  update(update: ProgressUpdate): void;
  stop(): void;
}

export interface ProgressOptions {
  readonly json: boolean;
  /** Milliseconds from any fixed instant; default the process's monotonic clock. */
  readonly nowMs?: () => number;
}

/** A log or a pipe gets a line per object at most this often. */
const LINE_EVERY_MS = 3_000;
const JSON_EVERY_MS = 1_000;

/**
 * Progress in the form that suits the reader: a bar per object on a terminal, else a line every
 * few seconds; with `--json` lines of their own on standard output.
 */
export function openProgress(terminal: Terminal, options: ProgressOptions): Progress {
  return onlyForward(display(terminal, options));
}

/** What is read once more after a backfill, to catch up, is no progress to tell. */
function onlyForward(progress: Progress): Progress {
  const furthest = new Map<string, number>();
  return {
    update({ object, read, total }) {
      if (read < (furthest.get(object) ?? 0)) return;
      furthest.set(object, read);
      // Records are created meanwhile, and a total is only what the CRM said at the beginning.
      progress.update({ object, read, total: total === null ? null : Math.max(total, read) });
    },
    stop: progress.stop,
  };
}

function display(terminal: Terminal, options: ProgressOptions): Progress {
  const nowMs = options.nowMs ?? (() => performance.now());
  if (options.json) {
    const interval = { everyMs: JSON_EVERY_MS, atOnce: true, nowMs };
    return inIntervals(interval, ({ object, read, total, pace }) => {
      const line = { type: 'progress', object, read, total, ...pace };
      terminal.out.write(`${JSON.stringify(line)}\n`);
    });
  }
  if (terminal.err.isTTY === true && isWritable(terminal.err)) return bars(terminal.err, nowMs);
  // What is done before the first line is due says enough with its result.
  return inIntervals({ everyMs: LINE_EVERY_MS, atOnce: false, nowMs }, (update) =>
    terminal.err.write(`${describeProgress(update)}\n`),
  );
}

interface Pace {
  readonly recordsPerSecond: number;
  /** Null where the total is not known, or nothing has come in yet. */
  readonly secondsLeft: number | null;
}

type Paced = ProgressUpdate & { readonly pace: Pace };

export function paceOf(update: ProgressUpdate, elapsedMs: number): Pace {
  const rate = elapsedMs > 0 ? (update.read * 1_000) / elapsedMs : 0;
  const left = update.total === null ? null : Math.max(0, update.total - update.read);
  return {
    recordsPerSecond: Math.round(rate),
    secondsLeft: left === null || rate === 0 ? null : Math.ceil(left / rate),
  };
}

export function describeProgress({ object, read, total, pace }: Paced): string {
  const of = total === null ? '' : ` of ${showCount(total)}`;
  const left = pace.secondsLeft === null ? '' : `, ${showSeconds(pace.secondsLeft)} left`;
  return `${printable(object)}: ${showCount(read)}${of} records, ${showCount(pace.recordsPerSecond)}/s${left}`;
}

interface Interval {
  readonly everyMs: number;
  /** Whether the first update of an object is told, and its last. */
  readonly atOnce: boolean;
  readonly nowMs: () => number;
}

/** Passes on one update of an object per interval. */
function inIntervals(interval: Interval, tell: (update: Paced) => void): Progress {
  const { everyMs, atOnce, nowMs } = interval;
  const seen = new Map<string, { startedMs: number; toldMs: number; held: Paced | null }>();
  return {
    update(update) {
      const now = nowMs();
      const toldMs = atOnce ? Number.NEGATIVE_INFINITY : now;
      const state = seen.get(update.object) ?? { startedMs: now, toldMs, held: null };
      seen.set(update.object, state);
      const paced = { ...update, pace: paceOf(update, now - state.startedMs) };
      if (now - state.toldMs < everyMs) {
        state.held = paced;
        return;
      }
      state.toldMs = now;
      state.held = null;
      tell(paced);
    },
    stop() {
      for (const { held } of seen.values()) if (held !== null && atOnce) tell(held);
      seen.clear();
    },
  };
}

function isWritable(stream: OutputStream): stream is OutputStream & NodeJS.WritableStream {
  return 'on' in stream && 'end' in stream;
}

function bars(stream: NodeJS.WritableStream, nowMs: () => number): Progress {
  const multi = new MultiBar({
    stream,
    format: '{object} {bar} {read} of {known}  {rate}  {left}',
    barsize: 24,
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    fps: 8,
    hideCursor: true,
    clearOnComplete: false,
    // The signal is ours to handle: a bar that handles it ends the process before it has drained.
    gracefulExit: false,
  });
  const shown = new Map<string, { bar: SingleBar; startedMs: number }>();
  return {
    update(update) {
      const payload = (pace: Pace) => ({
        object: printable(update.object).padEnd(14),
        read: showCount(update.read),
        known: update.total === null ? '?' : showCount(update.total),
        // What came in one piece has no pace, and what is there nothing left.
        rate: pace.recordsPerSecond === 0 ? '' : `${showCount(pace.recordsPerSecond)}/s`,
        left: pace.secondsLeft ? `${showSeconds(pace.secondsLeft)} left` : '',
      });
      const now = nowMs();
      const total = Math.max(update.total ?? update.read, 1);
      const known = shown.get(update.object);
      if (known === undefined) {
        const bar = multi.create(total, update.read, payload(paceOf(update, 0)));
        shown.set(update.object, { bar, startedMs: now });
        return;
      }
      known.bar.setTotal(total);
      known.bar.update(update.read, payload(paceOf(update, now - known.startedMs)));
    },
    stop: () => multi.stop(),
  };
}
