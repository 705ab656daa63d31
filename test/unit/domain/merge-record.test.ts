import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalValues, sameValue } from '../../../src/domain/equal.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { ConflictPolicy } from '../../../src/domain/merge-fields.ts';
import {
  type FieldChanges,
  mergeRecord,
  type PendingEntry,
} from '../../../src/domain/merge-record.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import { field } from '../../support/fields.ts';
import { applyRewrites, type Row } from '../../support/outbox-model.ts';

const FIELDS = [
  field('a', 'text'),
  field('b', 'number'),
  field('c', 'texts', { caseInsensitive: true }),
  field('d', 'text', { caseInsensitive: true }),
  field('constructor', 'text'),
];
const NAMES = FIELDS.map(({ name }) => name);
const fields = new Map(FIELDS.map((f) => [f.name, f]));
const VALUES: Readonly<Record<string, readonly Json[]>> = {
  a: ['u', 'v', 'w', null],
  b: [1, 1.00004, 2, null],
  c: [['x'], ['X'], ['x', 'Y'], ['y', 'z'], ['Y', 'Z'], ['z'], null],
  d: ['a@x', 'A@x', 'a@X', 'b@x', null],
  constructor: ['u', 'v', null],
};

const anyRow: fc.Arbitrary<Row> = fc.record(
  Object.fromEntries(NAMES.map((name) => [name, fc.constantFrom(...(VALUES[name] ?? []))])),
);
const anyPolicies = fc.record(
  Object.fromEntries(
    NAMES.map((name) => [
      name,
      fc.constantFrom<ConflictPolicy>('newest', 'remote', 'local', 'manual'),
    ]),
  ),
);
const anyState = fc.constantFrom<PendingEntry['state']>('pending', 'pending', 'parked', 'sending');

/** Edits of one row, as they may stand in the outbox, and a version of its record. */
const anyCase = fc
  .record({
    base: anyRow,
    writes: fc.array(
      fc.record({
        values: anyRow,
        named: fc.subarray(NAMES, { minLength: 1 }),
        state: anyState,
        op: fc.constantFrom('insert' as const, 'update' as const),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    remote: anyRow,
    answered: fc.subarray(NAMES),
    changedRemotely: fc.subarray(NAMES),
    updatedAtMs: fc.option(fc.integer({ min: 0, max: 6_000 })),
    policies: anyPolicies,
  })
  .map(({ base, writes, ...rest }) => {
    let row = base;
    const entries = writes.map(({ values, named, state, op }, index): PendingEntry => {
      const changes: FieldChanges = Object.fromEntries(
        named.map((name) => [name, { base: row[name] ?? null, value: values[name] ?? null }]),
      );
      row = { ...row, ...Object.fromEntries(named.map((name) => [name, values[name] ?? null])) };
      return { id: BigInt(index + 1), op, state, changes, writtenAtMs: (index + 1) * 1_000 };
    });
    const fieldsNow = Object.fromEntries(
      rest.answered.map((name) => {
        const source = rest.changedRemotely.includes(name) ? rest.remote : base;
        return [name, source[name] ?? null];
      }),
    );
    const policyOf = (name: string) => rest.policies[name] ?? 'newest';
    return {
      entries,
      row,
      record: recordOf(fieldsNow, rest.updatedAtMs),
      context: { fields, policyOf },
    };
  });

function recordOf(values: Row, updatedAtMs: number | null): RemoteRecord {
  const at = updatedAtMs === null ? null : new Date(updatedAtMs).toISOString();
  const system = { createdAt: null, updatedAt: at, createdBy: null, updatedBy: null };
  return { id: 'X', fields: values, ...system, mergedIds: [], links: {} };
}

type Case = ReturnType<typeof merge>;

/** Merges, and carries the outcome into outbox and row as the caller does. */
function merge(given: {
  readonly entries: readonly PendingEntry[];
  readonly row: Row;
  readonly record: RemoteRecord;
  readonly context: Parameters<typeof mergeRecord>[2];
}) {
  const { entries, row, record, context } = given;
  const result = mergeRecord(record, entries, context);
  const written = NAMES.map((name) => {
    if (result.values.has(name)) return [name, result.values.get(name) ?? null] as const;
    const kept = result.keep.includes(name) || !Object.hasOwn(record.fields, name);
    return [name, (kept ? row[name] : record.fields[name]) ?? null] as const;
  });
  return {
    result,
    after: {
      ...given,
      entries: applyRewrites(entries, result.entries),
      row: Object.fromEntries(written) as Row,
    },
  };
}

const holdersOf = (entries: readonly PendingEntry[], name: string) =>
  entries.filter(({ changes }) => Object.hasOwn(changes, name));

function valueOf(row: Row, name: string): Json {
  return row[name] ?? null;
}

function same(name: string, a: Json, b: Json): boolean {
  const f = fields.get(name);
  return f !== undefined && sameValue(f, a, b);
}

function equal(name: string, a: Json, b: Json): boolean {
  const f = fields.get(name);
  return f !== undefined && equalValues(f, a, b);
}

/** Fields of entries whose answer is not known yet. */
function inFlight(entries: readonly PendingEntry[]): ReadonlySet<string> {
  const sending = entries.filter(({ state }) => state === 'sending');
  return new Set(sending.flatMap(({ changes }) => Object.keys(changes)));
}

function resultOfField({ result }: Case, name: string) {
  return result.conflicts.filter((found) => found.field === name);
}

describe('merging a record with what waits for it', () => {
  test('no edit disappears: it still waits, both sides agree, or a conflict tells', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const merged = merge(given);
        for (const name of NAMES) {
          const before = holdersOf(given.entries, name);
          const after = holdersOf(merged.after.entries, name);
          const local = before.at(-1)?.changes[name];
          if (!local) continue;
          const [conflict, ...more] = resultOfField(merged, name);
          expect(more).toEqual([]);
          const shown = valueOf(merged.after.row, name);
          if (after.length > 0) {
            const last = after.at(-1)?.changes[name]?.value ?? null;
            expect(shown).toEqual(last);
            // Each side may have changed how the other's items are spelt.
            if (merged.result.values.has(name)) expect(name).toBe('c');
            else expect(last).toEqual(local.value);
            if (conflict?.resolution !== 'merged')
              expect(
                equal(name, last, local.value) ||
                  equal(name, last, valueOf(given.record.fields, name)),
              ).toBe(true);
            continue;
          }
          const remote = valueOf(given.record.fields, name);
          const base = before[0]?.changes[name]?.base ?? null;
          const agreed = same(name, local.value, remote);
          // What an earlier edit wrote, or a later one was made over, was known to whoever went on.
          const known = before.flatMap(({ changes }, index) => [
            ...(index > 0 ? [changes[name]?.base ?? null] : []),
            ...(index < before.length - 1 ? [changes[name]?.value ?? null] : []),
          ]);
          const isOurs = known.some((value) => equal(name, value, remote));
          if (isOurs && !equal(name, base, remote)) expect(agreed).toBe(true);
          const unchanged = same(name, local.value, base);
          // Of an address that is another one by now, no case is left to change.
          const overtaken = equal(name, local.value, base) && !equal(name, remote, base);
          const cut = conflict?.resolution === 'remote' || conflict?.resolution === 'merged';
          expect(agreed || unchanged || overtaken || cut).toBe(true);
          expect(shown).toEqual(remote);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('every entry that ends says truly how', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const merged = merge(given);
        const ids = merged.result.entries.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { id, state, changes } of merged.result.entries) {
          const entry = given.entries.find((e) => e.id === id);
          const names = Object.keys(entry?.changes ?? {});
          const conflicts = names.flatMap((name) => resultOfField(merged, name));
          expect(changes === null).toBe(state !== 'pending' && state !== 'parked');
          // An edit that was never sent is done only where nothing was decided against it.
          if (state === 'done') expect(conflicts).toEqual([]);
          if (state === 'cancelled') {
            expect(conflicts.some(({ resolution }) => resolution === 'remote')).toBe(true);
          }
          const isCase = names.includes('c') || names.includes('d');
          if (state === 'superseded') expect(conflicts.length > 0 || isCase).toBe(true);
          if (changes !== null) expect(state).toBe(entry?.state);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('what is in flight, or missing in the answer, is left alone', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const { result, after } = merge(given);
        const sending = given.entries.filter(({ state }) => state === 'sending');
        for (const entry of sending) expect(after.entries).toContain(entry);
        const missing = NAMES.filter((name) => !Object.hasOwn(given.record.fields, name));
        for (const name of [...inFlight(given.entries), ...missing]) {
          expect(result.conflicts.map((found) => found.field)).not.toContain(name);
          expect(valueOf(after.row, name)).toEqual(valueOf(given.row, name));
          const entriesOf = (entries: readonly PendingEntry[]) =>
            holdersOf(entries, name).map(({ id, changes }) => [id, changes[name]]);
          expect(entriesOf(after.entries)).toEqual(entriesOf(given.entries));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the same version again changes nothing and logs nothing', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const once = merge(given);
        const again = merge(once.after);
        expect(again.result.conflicts).toEqual([]);
        expect(again.result.entries).toEqual([]);
        expect(again.after.row).toEqual(once.after.row);
      }),
      { numRuns: 500 },
    );
  });

  test('once what waits has been sent, the echo ends it and both sides agree', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const full = recordOf({ ...given.row, ...given.record.fields }, 5_000);
        const quiet = given.entries.filter(({ state }) => state === 'pending');
        const { after } = merge({ ...given, record: full, entries: quiet });
        const sent = after.entries.filter(({ state }) => state === 'pending');
        const told = sent.flatMap(({ changes }) =>
          Object.entries(changes).map(([name, { value }]) => [name, value] as const),
        );
        const echo = recordOf({ ...full.fields, ...Object.fromEntries(told) }, 9_000);
        const waiting = after.entries.filter(({ state }) => state === 'parked');
        const end = merge({ ...after, record: echo, entries: waiting });
        expect(end.result.conflicts).toEqual([]);
        for (const name of NAMES) {
          const open = holdersOf(waiting, name).length > 0;
          if (!open)
            expect(equal(name, valueOf(end.after.row, name), valueOf(echo.fields, name))).toBe(
              true,
            );
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('particular histories', () => {
  const entry = (
    id: bigint,
    changes: FieldChanges,
    rest: Partial<PendingEntry> = {},
  ): PendingEntry => {
    return { id, op: 'update', state: 'pending', changes, writtenAtMs: 1_000, ...rest };
  };
  const context = (policy: ConflictPolicy) => ({ fields, policyOf: () => policy });
  const change = (base: Json, value: Json) => ({ base, value });

  test('by hand, an open conflict parks its own field and nothing else', () => {
    const pending = entry(1n, { a: change('u', 'v'), b: change(1, 2) });
    const record = recordOf({ a: 'w', b: 1 }, 2_000);
    const { result, after } = merge({
      entries: [pending],
      row: { a: 'v', b: 2 },
      record,
      context: context('manual'),
    });
    expect(result.entries).toEqual([
      { id: 1n, changes: { b: change(1, 2) }, state: 'pending', parked: { a: change('w', 'v') } },
    ]);
    expect(result.conflicts).toMatchObject([
      { field: 'a', base: 'u', local: 'v', remote: 'w', policy: 'manual', resolution: 'open' },
    ]);
    expect(after.row).toMatchObject({ a: 'v', b: 2 });
  });

  test('an open conflict follows the remote side, and ends where the two meet', () => {
    const open = entry(9n, { a: change('w', 'v') }, { state: 'parked' });
    const moved = merge({
      entries: [open],
      row: { a: 'v' },
      record: recordOf({ a: 'u' }, 3_000),
      context: context('manual'),
    });
    expect(moved.result.conflicts).toMatchObject([
      { field: 'a', local: 'v', remote: 'u', resolution: 'open' },
    ]);
    expect(moved.after.entries).toMatchObject([
      { state: 'parked', changes: { a: change('u', 'v') } },
    ]);
    const met = merge({ ...moved.after, record: recordOf({ a: 'v' }, 4_000) });
    expect(met.result.entries).toMatchObject([{ changes: null, state: 'done' }]);
    expect(met.result.conflicts).toEqual([]);
  });

  test('an edit that was refused and one made since are one edit against the first base', () => {
    const refused = entry(1n, { a: change('u', 'v') }, { state: 'parked' });
    const mended = entry(2n, { a: change('v', 'w') });
    const given = { entries: [refused, mended], row: { a: 'w' }, context: context('local') };
    expect(merge({ ...given, record: recordOf({ a: 'u' }, 500) }).result).toMatchObject({
      conflicts: [],
      entries: [],
    });
    const { result, after } = merge({ ...given, record: recordOf({ a: null }, 500) });
    expect(result.conflicts).toMatchObject([
      { field: 'a', base: 'u', local: 'w', remote: null, policy: 'local', resolution: 'local' },
    ]);
    expect(result.entries[0]).toMatchObject({ id: 1n, state: 'superseded', changes: null });
    expect(after.entries).toMatchObject([
      { id: 2n, state: 'pending', changes: { a: change(null, 'w') } },
    ]);
  });

  test('an edit overruled in one field and agreed in another is cancelled', () => {
    const both = entry(1n, { a: change('u', 'v'), b: change(1, 2) });
    const { result } = merge({
      entries: [both],
      row: { a: 'v', b: 2 },
      record: recordOf({ a: 'w', b: 2 }, 5_000),
      context: context('remote'),
    });
    expect(result.entries).toMatchObject([{ state: 'cancelled', changes: null }]);
  });

  test('a deleted row does not come back because the record was edited', () => {
    for (const state of ['pending', 'sending', 'parked'] as const) {
      const gone = entry(2n, { a: change('v', null) }, { op: 'delete', state });
      const edit = entry(1n, { a: change('u', 'v') });
      const result = mergeRecord(recordOf({ a: 'w' }, 5_000), [edit, gone], context('newest'));
      expect(result).toMatchObject({ absent: true, entries: [], conflicts: [] });
    }
  });

  test('a value the CRM writes another way is no change', () => {
    const pending = entry(1n, { b: change(1, 2) });
    const record = recordOf({ b: 2.00001 }, 5_000);
    const { result } = merge({ entries: [pending], row: {}, record, context: context('manual') });
    expect(result).toMatchObject({ conflicts: [], keep: [], entries: [{ id: 1n, state: 'done' }] });
  });

  test('an address written in another case than the CRM has it conflicts with nothing and is sent', () => {
    const pending = entry(1n, { c: change(null, ['X', 'y']), d: change('a@x', 'A@x') });
    const record = recordOf({ c: ['x', 'Y'], d: 'a@x' }, 5_000);
    const { result } = merge({ entries: [pending], row: {}, record, context: context('manual') });
    expect(result).toMatchObject({ conflicts: [], keep: ['c', 'd'], entries: [] });
  });

  test('one whose case alone was edited, and that is another by now, is superseded', () => {
    const pending = entry(1n, { d: change('a@x', 'A@x') });
    const record = recordOf({ d: 'b@x' }, 5_000);
    const { result } = merge({ entries: [pending], row: {}, record, context: context('local') });
    expect(result).toMatchObject({
      conflicts: [],
      keep: [],
      entries: [{ id: 1n, state: 'superseded' }],
    });
  });
});
