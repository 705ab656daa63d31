/** Somebody says that there is something to pull. */
export interface Nudge {
  /** @param object where they say which; null for anything. */
  nudge(object: string | null): void;
  /** What was not pulled yet is left to the schedule. */
  stop(): void;
}

export interface NudgeOptions {
  /** Null: whatever there is. Must not throw. */
  readonly pull: (objects: ReadonlySet<string> | null) => void;
  /** Not more often than this; default 5 s. */
  readonly everyMs?: number;
  readonly monotonicMs?: () => number;
}

/** Between two of them: a workflow that runs for a thousand records calls a thousand times. */
const EVERY_MS = 5_000;

/** The first nudge is followed at once; those within five seconds of it together, at their end. */
export function createNudge(options: NudgeOptions): Nudge {
  const { pull, everyMs = EVERY_MS, monotonicMs = () => performance.now() } = options;
  let wanted: Set<string> | 'all' | null = null;
  let timer: NodeJS.Timeout | null = null;
  let lastMs = Number.NEGATIVE_INFINITY;

  function fire(): void {
    const objects = wanted;
    timer = null;
    wanted = null;
    if (objects === null) return;
    lastMs = monotonicMs();
    pull(objects === 'all' ? null : objects);
  }

  return {
    nudge(object) {
      if (object === null) wanted = 'all';
      else if (wanted !== 'all') wanted = (wanted ?? new Set<string>()).add(object);
      timer ??= setTimeout(fire, Math.max(0, lastMs + everyMs - monotonicMs()));
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      wanted = null;
    },
  };
}
