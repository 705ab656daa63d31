import { expect, test } from 'vitest';
import type { Json } from '../../../src/domain/json.ts';
import type { ConflictPolicy } from '../../../src/domain/merge-fields.ts';
import { mergeRecord } from '../../../src/domain/merge-record.ts';
import { field } from '../../support/fields.ts';

const fields = new Map([['a', field('a', 'text')]]);

test('what the CRM fills in by itself takes nobody’s place, and is no conflict', () => {
  const at = (base: Json, isAutomatic: boolean, policy: ConflictPolicy) =>
    mergeRecord(
      {
        id: 'r',
        fields: { a: 'theirs' },
        createdAt: null,
        updatedAt: '2026-01-01T00:00:09.000Z',
        createdBy: null,
        updatedBy: null,
        mergedIds: [],
        links: {},
        writes: { a: { atMs: Date.parse('2026-01-01T00:00:09.000Z'), by: null, isAutomatic } },
      },
      [
        {
          id: 1n,
          op: 'update',
          state: 'pending',
          changes: { a: { base, value: 'ours' } },
          writtenAtMs: Date.parse('2026-01-01T00:00:05.000Z'),
        },
      ],
      { fields, policyOf: () => policy },
    );
  for (const policy of ['newest', 'manual', 'remote'] as const) {
    expect(at(null, true, policy)).toMatchObject({ keep: ['a'], entries: [], conflicts: [] });
  }
  expect(at(null, false, 'newest').conflicts).toMatchObject([{ resolution: 'remote' }]);
  expect(at('before', true, 'newest').conflicts).toMatchObject([{ resolution: 'remote' }]);
});
