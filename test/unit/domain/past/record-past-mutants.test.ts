import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as EventModule from '../../../../src/domain/past/event.ts';
import type * as RecordPast from '../../../../src/domain/past/record-past.ts';
import type * as Rules from '../../../../src/domain/past/rules.ts';
import * as sound from '../../../../src/domain/past/rules.ts';
import type * as TakeBack from '../../../../src/domain/past/take-back.ts';
import { takeBack } from '../../../../src/domain/past/take-back.ts';
import { type Blur, cases, judge } from './judge.ts';

const RULES = '../../../../src/domain/past/rules.ts';
const EVENT = '../../../../src/domain/past/event.ts';
const TAKE_BACK = '../../../../src/domain/past/take-back.ts';

interface Mutant {
  readonly rules?: Partial<typeof Rules>;
  readonly event?: Partial<typeof EventModule>;
  readonly takeBack?: Partial<typeof TakeBack>;
}

/** The reconstruction, with some of its rules replaced. */
async function broken({ rules, event, takeBack: taking }: Mutant) {
  vi.resetModules();
  vi.doMock(RULES, async (original) => ({ ...(await original<typeof Rules>()), ...rules }));
  vi.doMock(EVENT, async (original) => ({ ...(await original<typeof EventModule>()), ...event }));
  vi.doMock(TAKE_BACK, async (original) => ({
    ...(await original<typeof TakeBack>()),
    ...taking,
  }));
  const path = '../../../../src/domain/past/record-past.ts';
  const { recordPast }: typeof RecordPast = await import(path);
  return recordPast;
}

/** Whether the property finds something that was not so, or that is not told though it could be. */
async function isNoticed(mutant: Mutant, kinds: readonly Blur['kind'][]): Promise<boolean> {
  const recordPast = await broken(mutant);
  const property = fc.property(cases(kinds), (history) =>
    judge(recordPast, history).every(
      ({ untrue, isGapless, isWhole }) =>
        untrue.length === 0 && isGapless && (isWhole || !kinds.includes('nothing')),
    ),
  );
  return fc.check(property, { numRuns: 2_000, seed: 7, endOnFailure: true }).failed;
}

afterEach(() => {
  for (const path of [RULES, EVENT, TAKE_BACK]) vi.doUnmock(path);
  vi.resetModules();
});

describe('the property test needs every rule', { timeout: 120_000 }, () => {
  it.each<[rule: string, kinds: readonly Blur['kind'][], mutant: Mutant]>([
    [
      'what contradicts is not known',
      ['one-missing'],
      {
        rules: {
          stretch: (between, taken) =>
            sound.stretch(between, taken).map((span) => ({
              ...span,
              value: span.value === undefined ? between.next.value : span.value,
            })),
        },
      },
    ],
    [
      'parts alone may yet be contradicted',
      ['one-missing'],
      { rules: { settled: (open) => open } },
    ],
    [
      'before what is not told, a field is known by what older events say',
      ['vague'],
      { rules: { stretch: (between, taken) => sound.stretch({ ...between, vagueMs: [] }, taken) } },
    ],
    [
      'a part tells nothing of what an untold change did to the rest',
      ['vague'],
      { rules: { beforeOf: (_, { before }) => before } },
    ],
    [
      'between two untold changes it may have been anything',
      ['vague'],
      {
        rules: {
          stretch: (between, taken) =>
            sound.stretch({ ...between, vagueMs: between.vagueMs.slice(0, 1) }, taken),
        },
      },
    ],
    [
      'a record is created without what is not told of it',
      ['nothing'],
      {
        rules: {
          saysOf: (event, field) =>
            event.kind === 'create' ? 'nothing' : sound.saysOf(event, field),
        },
      },
    ],
    [
      'merges change which records went into one',
      ['nothing'],
      {
        rules: {
          saysOf: (event, field) =>
            field === sound.MERGED ? 'nothing' : sound.saysOf(event, field),
        },
      },
    ],
    [
      'nothing happened before the creation',
      ['nothing'],
      {
        event: { newestFirst: (events) => events.toSorted((a, b) => b.atMs - a.atMs).toReversed() },
      },
    ],
    [
      'differences are taken back the last one first',
      ['nothing'],
      {
        takeBack: {
          takeBack: (field, changes, after) => takeBack(field, changes.toReversed(), after),
        },
      },
    ],
    [
      'what stood after an event is checked',
      ['one-missing'],
      {
        takeBack: {
          takeBack: (field, changes, after) => {
            const taken = takeBack(field, changes, after);
            return { ...taken, fits: taken.fits === null ? null : true };
          },
        },
      },
    ],
  ])('%s', async (_, kinds, mutant) => {
    expect(await isNoticed(mutant, kinds)).toBe(true);
  });
});
