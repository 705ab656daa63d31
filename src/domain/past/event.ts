import type { Json } from '../json.ts';

/** One difference that an event of a record's past tells. */
export interface PastChange {
  readonly field: string;
  /** Where inside the value: keys, and indexes of lists; empty for all of it. */
  readonly within: readonly (string | number)[];
  /** What it became; null where it was taken out, undefined where that is not told. */
  readonly value: Json | undefined;
  /** What it was before; null where there was none, undefined where that is not told. */
  readonly was: Json | undefined;
}

/** Something that happened to a record, as the CRM tells it. */
export interface PastEvent {
  /** Epoch milliseconds by the CRM's clock. */
  readonly atMs: number;
  readonly by: string | null;
  readonly kind: 'create' | 'update' | 'delete' | 'merge' | 'link' | 'other';
  /** In the order in which they are told. */
  readonly changes: readonly PastChange[];
  /** Whether it says what it changed: else something has changed that nobody knows. */
  readonly isTold: boolean;
}

/** A creation that is told value by value is one: it is over with the last of them. */
function bornOnce(events: readonly PastEvent[]): readonly PastEvent[] {
  const births = events.filter(({ kind }) => kind === 'create');
  const [last, ...others] = births.toSorted((a, b) => b.atMs - a.atMs);
  if (last === undefined || others.length === 0) return events;
  const birth = {
    ...last,
    changes: births.flatMap(({ changes }) => changes),
    isTold: births.some(({ isTold }) => isTold),
  };
  return [...events.filter(({ kind }) => kind !== 'create'), birth];
}

/** Events in the order in which they can have happened, newest first. */
export function newestFirst(told: readonly PastEvent[]): PastEvent[] {
  const events = bornOnce(told);
  const bornMs = events.find(({ kind }) => kind === 'create')?.atMs ?? Number.NEGATIVE_INFINITY;
  // Several records that are merged at once are an event each, and the last tells what came of it.
  const toldMerges = new Set(
    events.filter(({ kind, isTold }) => kind === 'merge' && isTold).map(({ atMs }) => atMs),
  );
  // Whatever the clocks say, nothing happened before the creation.
  return events
    .map((event) => ({
      ...event,
      atMs: Math.max(event.atMs, bornMs),
      isTold: event.isTold || (event.kind === 'merge' && toldMerges.has(event.atMs)),
    }))
    .toSorted(
      (a, b) => b.atMs - a.atMs || Number(a.kind === 'create') - Number(b.kind === 'create'),
    );
}
