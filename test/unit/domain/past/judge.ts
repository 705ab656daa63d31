import fc from 'fast-check';
import { equalValues } from '../../../../src/domain/equal.ts';
import type { PastEvent } from '../../../../src/domain/past/event.ts';
import type { PastVersion, recordPast } from '../../../../src/domain/past/record-past.ts';
import { MERGED } from '../../../../src/domain/past/rules.ts';
import { anyDeed, type Deed } from '../../../support/lived-past.ts';
import { emulate, type LivedRecord } from './emulated-past.ts';

/** What a feed leaves out; numbers choose among its events. */
export interface Blur {
  readonly kind: 'nothing' | 'vague' | 'no-birth' | 'cut' | 'no-was' | 'one-missing';
  readonly choice: number;
  /** Order among events of one moment. */
  readonly order: number;
}

export interface Case {
  readonly deeds: readonly Deed[];
  readonly deletedTargets: 'keep' | 'clear';
  readonly blurs: readonly Blur[];
}

export function cases(kinds: readonly Blur['kind'][]): fc.Arbitrary<Case> {
  const blur = fc.record({
    kind: fc.constantFrom(...kinds),
    choice: fc.nat(1_000_000),
    order: fc.nat(1_000_000),
  });
  return fc.record({
    deeds: fc.array(anyDeed, { minLength: 10, maxLength: 120 }),
    deletedTargets: fc.constantFrom('keep', 'clear'),
    blurs: fc.array(blur, { minLength: 1, maxLength: 4 }),
  });
}

export interface Verdict {
  readonly record: LivedRecord;
  readonly versions: readonly PastVersion[];
  /** Where it is told to have been something else than it was; no value is shown but names. */
  readonly untrue: readonly string[];
  readonly isGapless: boolean;
  /** Every field back to the creation; true as well where an event does not tell what it changed. */
  readonly isWhole: boolean;
}

/** What `past` makes of every record, held against what truly was. */
export function judge(past: typeof recordPast, { deeds, deletedTargets, blurs }: Case): Verdict[] {
  return emulate(deeds, deletedTargets).map((lived, at) => {
    const blur = blurs[at % blurs.length];
    const record = blur === undefined ? lived : { ...lived, events: blurred(lived.events, blur) };
    const { seen, object, events } = record;
    const versions = past(object.fields, seen, events);
    const isGapless = versions.every(
      ({ fromMs, toMs }, index) =>
        fromMs < toMs && toMs === (versions[index + 1]?.fromMs ?? seen.sinceMs),
    );
    const [first] = versions;
    const isVague = events.some(({ isTold }) => !isTold);
    const isWhole =
      isVague ||
      (first?.isBirth === true &&
        first.fromMs === record.truth[0]?.fromMs &&
        versions.every(({ unknown }) => unknown.every((name) => name === MERGED.name)));
    return { record, versions, untrue: untrue(record, versions), isGapless, isWhole };
  });
}

function untrue({ object, truth }: LivedRecord, versions: readonly PastVersion[]): string[] {
  const fields = [MERGED, ...object.fields.filter(({ kind }) => kind !== 'references')];
  return versions.flatMap((version) =>
    truth.flatMap((state, index) => {
      const untilMs = truth[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
      if (untilMs <= version.fromMs || state.fromMs >= version.toMs) return [];
      return fields.flatMap((field) => {
        const told = version.values.get(field.name);
        const was = field === MERGED ? state.mergedIds : (state.fields.get(field.name) ?? null);
        if (told === undefined || equalValues(field, told, was)) return [];
        const at = new Date(state.fromMs).toISOString();
        return [`${field.name} at ${at}: ${JSON.stringify(told)}, not ${JSON.stringify(was)}`];
      });
    }),
  );
}

function blurred(events: readonly PastEvent[], { kind, choice, order }: Blur): PastEvent[] {
  // Events of one moment come in any order.
  const shuffled = events
    .map((event, at) => ({ event, key: (at * 7919 + order) % 104_729 }))
    .toSorted((a, b) => b.event.atMs - a.event.atMs || a.key - b.key)
    .map(({ event }) => event);
  const chosen = (index: number) => (choice >> (index % 16)) % 3 === 0;
  switch (kind) {
    case 'nothing':
      return shuffled;
    case 'vague':
      return shuffled.map((event, at) =>
        event.kind !== 'create' && chosen(at) ? { ...event, isTold: false, changes: [] } : event,
      );
    case 'no-birth':
      return shuffled.map((event) =>
        event.kind === 'create' ? { ...event, isTold: false, changes: [] } : event,
      );
    case 'cut': {
      const later = shuffled.filter((event) => event.kind !== 'create');
      const momentMs = later[choice % Math.max(later.length, 1)]?.atMs ?? 0;
      return later.filter(({ atMs }) => atMs > momentMs);
    }
    case 'no-was':
      return shuffled.map((event, at) => ({
        ...event,
        changes: event.changes.map((change) =>
          chosen(at) ? { ...change, was: undefined } : change,
        ),
      }));
    case 'one-missing': {
      // Nobody can tell that a link is not told: what it was before never is.
      // Nor that an event which says nothing changed something else than what is missing.
      const told = shuffled.filter((event) => event.isTold || event.kind !== 'update');
      if (!told.every(({ isTold }) => isTold)) return told;
      const isLink = ({ changes }: PastEvent) =>
        changes.some(({ field, within }) => within.length === 0 && field.endsWith('_id'));
      const may = told.filter((event) => event.kind === 'update' && !isLink(event));
      const missing = may[choice % Math.max(may.length, 1)];
      return told.filter((event) => event !== missing);
    }
  }
}
