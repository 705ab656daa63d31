import type { Json } from '../json.ts';
import type { Field } from '../schema.ts';
import type { PastChange, PastEvent } from './event.ts';
import {
  type Between,
  beforeOf,
  changesOf,
  isAhead,
  isSettled,
  type Says,
  type SeenField,
  type Span,
  saysOf,
  settled,
  stretch,
} from './rules.ts';
import { type TakenBack, takeBack } from './take-back.ts';

/**
 * What a field held, from its record's first event until the record was seen; in no order.
 *
 * @param events newest first, as `newestFirst` has them.
 */
export function fieldPast(seen: SeenField, events: readonly PastEvent[]): readonly Span[] {
  const { field } = seen;
  const due = events.flatMap((event) => {
    const says = saysOf(event, field);
    return says === 'nothing' ? [] : [{ event, says }];
  });
  const known: Span[] = [];
  /** Those that an older event may yet contradict. */
  let open: readonly Span[] = [];
  let next: Between['next'] = { value: seen.value, atMs: seen.sinceMs };
  let vagueMs: readonly number[] = [];
  let isTouched = false;
  while (due.length > 0) {
    const { says, event, changes, taken } = takeNext(field, due, next.value);
    if (says === 'vague') {
      vagueMs = [...vagueMs, event.atMs];
      continue;
    }
    const older = due[0]?.says === 'something' ? due[0].event : null;
    if (!isTouched && isAhead(seen, event, taken, older)) continue;
    isTouched = true;
    const between = { fromMs: event.atMs, next, vagueMs };
    open = settled([...open, ...stretch(between, taken)], between, taken);
    if (isSettled(changes, between, taken)) {
      known.push(...open);
      open = [];
    }
    next = { value: beforeOf(between, taken), atMs: event.atMs };
    vagueMs = [];
  }
  const fromMs = events.at(-1)?.atMs;
  if (fromMs !== undefined && fromMs < next.atMs) {
    // What the CRM keeps by itself may change without an event.
    const isUntold = field.readOnly === true && !isTouched;
    const last = isUntold ? { ...next, value: undefined } : next;
    open = [...open, ...stretch({ fromMs, next: last, vagueMs }, NOTHING)];
  }
  return [...known, ...open].filter((span) => span.fromMs < span.toMs);
}

interface Due {
  readonly event: PastEvent;
  readonly says: Says;
}

interface Taken extends Due {
  readonly changes: readonly PastChange[];
  readonly taken: TakenBack;
}

const NOTHING: TakenBack = { fits: null, told: undefined, before: undefined };

/** The newest that is due; of one moment what is vague first, and the other events as one. */
function takeNext(field: Field, due: Due[], after: Json | undefined): Taken {
  const [first] = due;
  if (first === undefined) throw new Error('nothing is due');
  const isOne = ({ says, event }: Due) =>
    says === first.says && event.atMs === first.event.atMs && event.kind !== 'create';
  const together = first.event.kind === 'create' ? [first] : due.filter(isOne);
  for (const one of together) due.splice(due.indexOf(one), 1);
  if (first.says === 'vague') return { ...first, changes: [], taken: NOTHING };
  const changes = inOrder(
    field,
    together.map(({ event }) => changesOf(event, field)),
    after,
  );
  const taken = takeBack(field, changes, after);
  // What came last of one moment is known by what stood after it, or not at all.
  const isCertain = together.length === 1 || taken.fits === true;
  return { ...first, changes, taken: isCertain ? taken : { ...NOTHING, fits: taken.fits } };
}

/** The changes of one moment, in the order in which they lead to what stood after it. */
function inOrder(
  field: Field,
  events: readonly (readonly PastChange[])[],
  after: Json | undefined,
): readonly PastChange[] {
  const left = [...events];
  const ordered: (readonly PastChange[])[] = [];
  for (let state = after; left.length > 1; ) {
    const fitting = left.findIndex((changes) => takeBack(field, changes, state).fits === true);
    const [changes = []] = left.splice(Math.max(fitting, 0), 1);
    state = takeBack(field, changes, state).before;
    ordered.unshift(changes);
  }
  return [...left, ...ordered].flat();
}
