import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClaimedRecord } from '../../../src/db/outbox/outbox.ts';
import type { ClaimedEntry } from '../../../src/domain/coalesce.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { FieldChanges } from '../../../src/domain/merge-record.ts';
import {
  coalesceAll,
  isLocalId,
  localReferences,
  prepare,
  type Resolution,
} from '../../../src/push/outgoing.ts';
import { field, objectSchema, reference } from '../../support/fields.ts';

const schema = objectSchema('person', [
  field('email', 'texts', { caseInsensitive: true, unique: true }),
  field('name', 'text'),
  reference('company_id', 'company'),
  reference('manager_id', 'person'),
]);

type Values = Readonly<Record<string, Json>>;
type Known = Readonly<Record<string, Resolution>>;

function entry(
  id: number,
  op: ClaimedEntry['op'],
  values: Values,
  base: Json = null,
): ClaimedEntry {
  const changes: FieldChanges = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { base, value }]),
  );
  return { id: BigInt(id), op, changes };
}

function claim(recordId: string, ...entries: ClaimedEntry[]): ClaimedRecord {
  return { recordId, entries, attempts: 1, sentBefore: new Set<bigint>(), unapprovedDelete: false };
}

function prepared(
  records: readonly ClaimedRecord[],
  known: Known = {},
  matchOn: string | null = 'email',
) {
  return prepare(schema, coalesceAll(records), {
    resolve: (object, id) => known[`${object} ${id}`] ?? { kind: 'unknown' },
    earlier: new Set(['company']),
    identity: matchOn,
    creating: { kind: 'upsert' },
  });
}

const blockedBy = (by: number) => ({
  state: 'pending',
  reason: 'blocked',
  retryInMs: 0,
  blockedBy: BigInt(by),
});
const waiting = (id: number, parked = false): Resolution => ({
  kind: 'waiting',
  entry: BigInt(id),
  parked,
});

describe('what every preparation keeps to', () => {
  const localIds = ['local:1', 'local:2', 'local:3'];
  const anyId = fc.constantFrom<Json>(...localIds, 'X', null);
  const anyValues = fc.record(
    {
      name: fc.constantFrom('n', 'm'),
      email: fc.constantFrom<Json>(['a@x'], ['A@X', 'b@x'], [], null),
      company_id: anyId,
      manager_id: anyId,
    },
    { requiredKeys: [] },
  );
  const anyRecord = fc.record({
    recordId: fc.constantFrom(...localIds, 'X', 'Y'),
    entries: fc.array(
      fc.tuple(fc.constantFrom('insert', 'update', 'update', 'delete'), anyValues),
      { minLength: 1, maxLength: 4 },
    ),
  });
  const anyResolution = fc.constantFrom<Resolution>(
    { kind: 'unknown' },
    { kind: 'known', id: 'K' },
    { kind: 'known', id: 'Y' },
    waiting(900),
    waiting(901, true),
  );
  const anyClaim = fc
    .record({
      records: fc.uniqueArray(anyRecord, { minLength: 1, selector: ({ recordId }) => recordId }),
      known: fc.dictionary(
        fc.constantFrom(...localIds.flatMap((id) => [`person ${id}`, `company ${id}`])),
        anyResolution,
      ),
      matchOn: fc.constantFrom('email', null),
    })
    .map(({ records, known, matchOn }) => {
      let id = 0;
      const claimed = records.map(({ recordId, entries }) => {
        const captured = entries.map(([op, values]) => {
          id += 1;
          return entry(id, op, op === 'delete' ? { name: null } : values);
        });
        return claim(recordId, ...captured);
      });
      return { claimed, known, matchOn };
    });

  test('every entry claimed goes out or is settled, exactly once', () => {
    fc.assert(
      fc.property(anyClaim, ({ claimed, known, matchOn }) => {
        const { outgoing, settled } = prepared(claimed, known, matchOn);
        const ids = [
          ...outgoing.flatMap(({ entries }) => entries),
          ...settled.flatMap((s) => s.ids),
        ];
        const all = claimed.flatMap(({ entries }) => entries.map((e) => e.id));
        expect(ids).toHaveLength(all.length);
        expect(new Set(ids)).toEqual(new Set(all));
        for (const { entries } of outgoing) expect(entries.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  test('no id given here goes out, and no record twice', () => {
    fc.assert(
      fc.property(anyClaim, ({ claimed, known, matchOn }) => {
        const { outgoing } = prepared(claimed, known, matchOn);
        for (const { kind, recordId, fields } of outgoing) {
          expect(Object.values(fields).filter(isLocalId)).toEqual([]);
          expect(isLocalId(recordId)).toBe(kind === 'create');
        }
        const subjects = outgoing.map(({ recordId }) => recordId);
        expect(new Set(subjects).size).toBe(subjects.length);
      }),
      { numRuns: 500 },
    );
  });

  test('a link is sent, waits in one place, or waits with all of its record', () => {
    fc.assert(
      fc.property(anyClaim, ({ claimed, known, matchOn }) => {
        const { outgoing, settled, followUps } = prepared(claimed, known, matchOn);
        for (const { record, change } of coalesceAll(claimed)) {
          const { recordId, entries } = record;
          const sent = outgoing.find((one) =>
            one.entries.some((id) => change.entries.includes(id)),
          );
          if (!sent || change.kind === 'delete') continue;
          for (const name of ['company_id', 'manager_id']) {
            const wanted = change.changes[name];
            if (!wanted) continue;
            const later = followUps.filter(
              (f) => f.recordId === recordId && Object.hasOwn(f.changes, name),
            );
            const kept = entries.filter(
              (e) =>
                Object.hasOwn(e.changes, name) &&
                settled.some((s) => s.outcome.state === 'pending' && s.ids.includes(e.id)),
            );
            const places = (Object.hasOwn(sent.fields, name) ? 1 : 0) + later.length + kept.length;
            expect(places).toBe(1);
            for (const { changes } of later) expect(changes[name]).toEqual(wanted);
            for (const { changes } of kept) expect(changes[name]).toEqual(wanted);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('what a change is about or refers to is looked up first', () => {
    fc.assert(
      fc.property(anyClaim, ({ claimed, known }) => {
        const changes = coalesceAll(claimed);
        const named = localReferences(schema, changes);
        prepare(schema, changes, {
          resolve: (object, id) => {
            expect(named.get(object)).toContain(id);
            return known[`${object} ${id}`] ?? { kind: 'unknown' };
          },
          earlier: new Set(['company']),
          identity: 'email',
          creating: { kind: 'upsert' },
        });
      }),
    );
  });
});

describe('references', () => {
  test("an id given here becomes the CRM's", () => {
    const { outgoing } = prepared(
      [claim('local:1', entry(1, 'insert', { name: 'n', company_id: 'local:c' }))],
      { 'company local:c': { kind: 'known', id: 'C' } },
    );
    expect(outgoing).toMatchObject([{ kind: 'create', fields: { name: 'n', company_id: 'C' } }]);
  });

  test('a create waits for what it refers to and comes earlier, parked or not', () => {
    for (const parked of [true, false]) {
      const { outgoing, settled } = prepared(
        [claim('local:1', entry(1, 'insert', { name: 'n', company_id: 'local:c' }))],
        { 'company local:c': waiting(9, parked) },
      );
      expect(outgoing).toEqual([]);
      expect(settled).toEqual([{ ids: [1n], outcome: blockedBy(9) }]);
    }
  });

  test('records that refer to each other are created without the link, which follows', () => {
    const { outgoing, followUps } = prepared(
      [
        claim('local:1', entry(1, 'insert', { name: 'n', manager_id: 'local:2' })),
        claim('local:2', entry(2, 'insert', { name: 'm', manager_id: 'local:1' })),
        claim('local:3', entry(3, 'insert', { manager_id: 'local:3' })),
      ],
      { 'person local:1': waiting(1), 'person local:2': waiting(2), 'person local:3': waiting(3) },
    );
    expect(outgoing.map(({ kind, fields }) => [kind, fields])).toEqual([
      ['create', { name: 'n' }],
      ['create', { name: 'm' }],
      ['create', {}],
    ]);
    const link = (to: string) => ({ manager_id: { base: null, value: to } });
    expect(followUps).toEqual([
      { recordId: 'local:1', changes: link('local:2'), blockedBy: 2n, of: 1n },
      { recordId: 'local:2', changes: link('local:1'), blockedBy: 1n, of: 2n },
      { recordId: 'local:3', changes: link('local:3'), blockedBy: 3n, of: 3n },
    ]);
  });

  test('a create refused by a parked manager is blocked; an edit goes without the link', () => {
    const known = { 'person local:2': waiting(9, true) };
    const created = prepared(
      [claim('local:1', entry(1, 'insert', { manager_id: 'local:2' }))],
      known,
    );
    expect(created.settled).toEqual([{ ids: [1n], outcome: blockedBy(9) }]);
    const edited = prepared(
      [claim('X', entry(1, 'update', { manager_id: 'local:2', name: 'n' }))],
      known,
    );
    expect(edited.outgoing).toMatchObject([{ entries: [1n], fields: { name: 'n' } }]);
    expect(edited.followUps).toMatchObject([{ recordId: 'X', blockedBy: 9n }]);
  });

  test('an edit of the link alone waits itself, and holds up no later edit', () => {
    const known = { 'person local:2': waiting(9) };
    const link = entry(1, 'update', { manager_id: 'local:2' });
    expect(prepared([claim('X', link)], known)).toEqual({
      outgoing: [],
      settled: [{ ids: [1n], outcome: blockedBy(9) }],
      followUps: [],
    });
    const both = prepared([claim('X', link, entry(2, 'update', { name: 'n' }))], known);
    expect(both.outgoing).toMatchObject([{ entries: [2n], fields: { name: 'n' } }]);
    expect(both.settled).toContainEqual({ ids: [1n], outcome: blockedBy(9) });
    expect(both.followUps).toEqual([]);
  });

  test('a create tried again puts its link off no second time', () => {
    const known = { 'person local:2': waiting(2) };
    const insert = entry(1, 'insert', { name: 'n', manager_id: 'local:2' });
    const follow = entry(5, 'update', { manager_id: 'local:2' });
    const { outgoing, settled, followUps } = prepared([claim('local:1', insert, follow)], known);
    expect(outgoing).toMatchObject([{ kind: 'create', entries: [1n], fields: { name: 'n' } }]);
    expect(settled).toContainEqual({ ids: [5n], outcome: blockedBy(2) });
    expect(followUps).toEqual([]);
  });

  test('a link changed again keeps the base both sides agreed on', () => {
    const known = { 'person local:2': waiting(2), 'person local:3': waiting(3) };
    const first = entry(1, 'update', { name: 'n', manager_id: 'local:2' }, 'M');
    const second = entry(2, 'update', { manager_id: 'local:3' }, 'local:2');
    const { outgoing, followUps } = prepared([claim('X', first, second)], known);
    expect(outgoing).toMatchObject([{ entries: [1n, 2n], fields: { name: 'n' } }]);
    expect(followUps).toEqual([
      {
        recordId: 'X',
        changes: { manager_id: { base: 'M', value: 'local:3' } },
        blockedBy: 3n,
        of: 1n,
      },
    ]);
  });

  test('what names a row that does not exist is parked, and the reason quotes no value', () => {
    const { settled } = prepared([claim('X', entry(1, 'update', { manager_id: 'local:gone' }))]);
    expect(settled).toMatchObject([{ ids: [1n], outcome: { state: 'parked' } }]);
    expect(JSON.stringify(settled[0]?.outcome)).not.toContain('local:gone');
  });
});

describe('records given here', () => {
  const edit = claim('local:1', entry(4, 'update', { name: 'n' }));

  test('a change waits, visibly, for the insert of its own record', () => {
    const { settled } = prepared([edit], { 'person local:1': waiting(3, true) });
    expect(settled).toEqual([{ ids: [4n], outcome: blockedBy(3) }]);
  });

  test('a change committed while its record got its id goes out under the new one', () => {
    const known = { 'person local:1': { kind: 'known', id: 'X' } } as const;
    expect(prepared([edit], known).outgoing).toMatchObject([{ kind: 'update', recordId: 'X' }]);
    const remove = claim('local:1', entry(4, 'delete', { name: null }));
    expect(prepared([remove], known).outgoing).toMatchObject([{ kind: 'delete', recordId: 'X' }]);
    // Per record in commit order: what is claimed under the new id already goes first.
    const both = prepared([claim('X', entry(5, 'update', { name: 'm' })), edit], known);
    expect(both.outgoing).toMatchObject([{ recordId: 'X', entries: [5n] }]);
    expect(both.settled).toContainEqual({
      ids: [4n],
      outcome: { state: 'pending', reason: null, retryInMs: 0 },
    });
  });

  test('where the insert was discarded, an edit is parked and a delete is done', () => {
    expect(prepared([edit]).settled).toMatchObject([{ outcome: { state: 'parked' } }]);
    const remove = claim('local:1', entry(4, 'delete', { name: null }));
    expect(prepared([remove]).settled).toEqual([{ ids: [4n], outcome: { state: 'done' } }]);
  });

  test('what was inserted and deleted is never sent', () => {
    const gone = claim(
      'local:1',
      entry(1, 'insert', { name: 'n' }),
      entry(2, 'delete', { name: null }),
    );
    const { outgoing, settled } = prepared([gone]);
    expect(outgoing).toEqual([]);
    expect(settled).toEqual([
      { ids: [1n], outcome: { state: 'superseded' } },
      { ids: [2n], outcome: { state: 'done' } },
    ]);
  });

  test('an insert of a record the CRM has by now updates it', () => {
    const adopted = claim('X', entry(1, 'insert', { email: ['a@x'], name: 'n' }));
    expect(prepared([adopted]).outgoing).toMatchObject([
      { kind: 'update', recordId: 'X', matchOn: null },
    ]);
  });
});

describe('identity', () => {
  test('of two creates with one identity the second waits, in any case, by any item', () => {
    const { outgoing, settled } = prepared([
      claim('local:1', entry(1, 'insert', { email: ['a@x', 'b@x'] })),
      claim('local:2', entry(2, 'insert', { email: ['c@x', 'B@X'] })),
      claim('local:3', entry(3, 'insert', { email: ['d@x'] })),
    ]);
    expect(outgoing.map(({ recordId }) => recordId)).toEqual(['local:1', 'local:3']);
    expect(settled).toContainEqual({
      ids: [2n],
      outcome: { state: 'pending', reason: null, retryInMs: 0 },
    });
  });

  test('a create is repeatable only where it has an identity', () => {
    const creates = [
      claim('local:1', entry(1, 'insert', { email: ['a@x'] })),
      claim('local:2', entry(2, 'insert', { email: [] })),
      claim('local:3', entry(3, 'insert', { name: 'n' })),
    ];
    const matchOns = (matchOn: string | null) =>
      prepared(creates, {}, matchOn).outgoing.map((one) => one.matchOn);
    expect(matchOns('email')).toEqual(['email', null, null]);
    expect(matchOns(null)).toEqual([null, null, null]);
  });
});
