import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClaimedEntry, coalesce } from '../../../src/domain/coalesce.ts';
import { mergeRecord, type PendingEntry } from '../../../src/domain/merge-record.ts';
import { field } from '../../support/fields.ts';
import { anyEdit, anyRow, capture, type Row } from '../../support/outbox-model.ts';

const FIELDS = ['a', 'b', 'c'];

/** Every field of a row, null where it names none. */
function whole(row: Row): Row {
  return Object.fromEntries(FIELDS.map((name) => [name, row[name] ?? null]));
}

/** A batch the triggers may have captured: of a record the CRM knows, or of one born here. */
const anyBatch = fc
  .record({ before: fc.option(anyRow), edits: fc.array(anyEdit, { maxLength: 8 }) })
  .map(({ before, edits }) => ({ before, ...capture(edits, before) }))
  .filter(({ entries }) => entries.length > 0);

describe('coalescing the entries of one record', () => {
  test('every entry is accounted for, exactly once', () => {
    fc.assert(
      fc.property(anyBatch, ({ before, entries }) => {
        const result = coalesce(entries, before !== null);
        const ids = [...result.entries, ...result.superseded];
        expect(ids).toHaveLength(entries.length);
        expect(new Set(ids)).toEqual(new Set(entries.map(({ id }) => id)));
        expect(result.entries.length).toBeGreaterThan(0);
      }),
    );
  });

  test('sending it leaves the CRM with what replaying every entry would', () => {
    fc.assert(
      fc.property(anyBatch, ({ before, entries, row }) => {
        const result = coalesce(entries, before !== null);
        const sent = Object.entries(result.changes).map(([name, { value }]) => [name, value]);
        switch (result.kind) {
          case 'nothing':
            expect(before).toBeNull();
            expect(row).toBeNull();
            break;
          case 'delete':
            expect(before).not.toBeNull();
            expect(row).toBeNull();
            break;
          case 'create':
            expect(before).toBeNull();
            expect(whole(Object.fromEntries(sent))).toEqual(whole(row ?? {}));
            break;
          case 'update':
            expect(whole({ ...before, ...Object.fromEntries(sent) })).toEqual(whole(row ?? {}));
        }
        if (result.kind === 'create' || result.kind === 'update') {
          expect(Object.keys(result.changes)).not.toContain('_extra');
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the base of an update is what both sides last agreed on', () => {
    fc.assert(
      fc.property(anyBatch, ({ before, entries }) => {
        const result = coalesce(entries, before !== null);
        if (result.kind !== 'update') return;
        for (const [name, { base }] of Object.entries(result.changes)) {
          expect(base).toEqual(before?.[name] ?? null);
        }
      }),
    );
  });

  test('a sending that fails leaves nothing behind that could pass for a conflict', () => {
    const fields = new Map(FIELDS.map((name) => [name, field(name, 'text')]));
    const when = '2024-01-01T00:00:00.000Z';
    fc.assert(
      fc.property(anyBatch, ({ before, entries, row }) => {
        if (before === null || row === null) return;
        const { superseded } = coalesce(entries, true);
        const left = entries
          .filter(({ id }) => !superseded.includes(id))
          .map((entry): PendingEntry => ({ ...entry, state: 'pending', writtenAtMs: 0 }));
        const system = { createdAt: when, updatedAt: when, createdBy: null, updatedBy: null };
        const record = { id: 'X', fields: before, ...system, mergedIds: [], links: {} };
        const merged = mergeRecord(record, left, { fields, policyOf: () => 'manual' });
        expect(merged.conflicts).toEqual([]);
      }),
    );
  });

  const update = (id: bigint, base: string, value: string): ClaimedEntry => {
    return { id, op: 'update', changes: { a: { base, value } } };
  };
  const remove: ClaimedEntry = { id: 2n, op: 'delete', changes: { a: { base: 'v', value: null } } };
  const insert: ClaimedEntry = { id: 3n, op: 'insert', changes: { b: { base: null, value: 'n' } } };

  test('an edit that takes an earlier one back still goes out', () => {
    const taken = coalesce([update(1n, 'u', 'v'), update(2n, 'v', 'u')], true);
    expect(taken).toMatchObject({ kind: 'update', changes: { a: { base: 'u', value: 'u' } } });
  });

  test('what was put off and comes after the delete goes with it', () => {
    const result = coalesce([remove, update(7n, 'u', 'v')], true);
    expect(result).toMatchObject({ kind: 'delete', entries: [2n], superseded: [7n] });
  });

  test('a row deleted and inserted again becomes what was inserted, not a second record', () => {
    expect(coalesce([remove, insert], true)).toEqual({
      kind: 'update',
      changes: { a: { base: 'v', value: null }, b: { base: null, value: 'n' } },
      entries: [2n, 3n],
      superseded: [],
    });
    expect(coalesce([{ ...insert, id: 1n }, remove, insert], false)).toMatchObject({
      kind: 'create',
      entries: [3n],
      superseded: [1n, 2n],
    });
  });

  test('an insert of a record that was adopted updates it', () => {
    expect(coalesce([insert], true).kind).toBe('update');
    expect(coalesce([insert, { ...remove, id: 4n }], true).kind).toBe('delete');
  });
});
