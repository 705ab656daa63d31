import { describe, expect, it } from 'vitest';
import { birthOf, type FieldWrite, writeOf } from '../../../src/domain/field-write.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import { field } from '../../support/fields.ts';

const title = field('job_title', 'text');
const name = field('name', 'json');

function write(value: string | null, atMs: number, more: Partial<FieldWrite> = {}): FieldWrite {
  const by = `user ${atMs}`;
  return { field: 'job_title', within: [], value, was: null, isBirth: false, atMs, by, ...more };
}

describe('the write a value comes from', () => {
  it('is the newest that made the field what it is', () => {
    const history = [write('A', 3), write('B', 2), write('A', 1)];
    expect(writeOf(title, 'A', history)).toEqual({ atMs: 3, by: 'user 3' });
  });

  it('is not one that is ahead of what was read', () => {
    expect(writeOf(title, 'A', [write('B', 2), write('A', 1)])?.atMs).toBe(1);
  });

  it('is unknown where the history says nothing of the field, or of this value', () => {
    const other = write('A', 1, { field: 'linkedin_url' });
    expect(writeOf(title, 'A', [other, write('B', 2)])).toBeNull();
    expect(writeOf(title, 'A', [])).toBeNull();
  });

  it('may have changed a part of the value alone', () => {
    const history = [
      write('Ada', 2, { field: 'name', within: ['first_name'] }),
      write('Byron', 1, { field: 'name', within: ['last_name'] }),
    ];
    expect(writeOf(name, { first_name: 'Ada', last_name: 'King' }, history)?.atMs).toBe(2);
    expect(writeOf(name, { first_name: 'Eve', last_name: 'Byron' }, history)?.atMs).toBe(1);
    expect(writeOf(name, null, history)).toBeNull();
  });

  it('compares as both sides do', () => {
    expect(writeOf(title, null, [write(null, 1)])?.atMs).toBe(1);
  });
});

describe('what a record was created with', () => {
  const record = (fields: Readonly<Record<string, Json>>): RemoteRecord => {
    const [createdAt, updatedAt, createdBy, updatedBy] = [null, null, null, null];
    return {
      id: 'a',
      fields,
      createdAt,
      updatedAt,
      createdBy,
      updatedBy,
      mergedIds: [],
      links: {},
    };
  };

  it('is what its creation says, and else what its edits replaced', () => {
    const now = record({ job_title: 'C', name: { first_name: 'Eve', last_name: 'Mo' }, kept: 1 });
    const first = { field: 'name', within: ['first_name'], was: 'Ada' };
    const edits = [write('C', 3, { was: 'B' }), write('Eve', 2, first)];
    expect(birthOf(now, edits)).toEqual({
      fields: { job_title: 'B', name: { first_name: 'Ada', last_name: 'Mo' }, kept: 1 },
      isTold: false,
    });
    expect(birthOf(now, [...edits, write('A', 1, { isBirth: true })])).toMatchObject({
      fields: { job_title: 'A' },
      isTold: true,
    });
  });
});
