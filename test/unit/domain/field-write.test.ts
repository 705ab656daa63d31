import { describe, expect, it } from 'vitest';
import {
  birthOf,
  type FieldWrite,
  type RecordHistory,
  writeOf,
} from '../../../src/domain/field-write.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import { field } from '../../support/fields.ts';

const title = field('job_title', 'text');
const name = field('name', 'json');

function write(value: Json, atMs: number, more: Partial<FieldWrite> = {}): FieldWrite {
  const by = `user ${atMs}`;
  return { field: 'job_title', within: [], value, was: null, isBirth: false, atMs, by, ...more };
}

function history(writes: readonly FieldWrite[], more: Partial<RecordHistory> = {}): RecordHistory {
  return { writes, merges: [], newestMs: writes[0]?.atMs ?? null, isWhole: false, ...more };
}

/** Of a record last edited long after everything that its history tells, so that that has a gap. */
const LATE = 1_000_000;
const late = (value: Json) => ({ value, versionMs: LATE });

describe('the write a value comes from', () => {
  it('is the newest of the field', () => {
    const told = history([write('A', 3), write('B', 2), write('A', 1)]);
    expect(writeOf(title, late('A'), told)).toEqual({ atMs: 3, by: 'user 3' });
  });

  it('is not one that is ahead of what was read', () => {
    const far = history([write('B', 90_000, { was: 'A' }), write('A', 1)]);
    expect(writeOf(title, { value: 'A', versionMs: 10_000 }, far)?.atMs).toBe(1);
    const near = history([write('B', 10_001, { was: 'A' }), write('A', 1)]);
    expect(writeOf(title, { value: 'A', versionMs: 10_000 }, near)?.atMs).toBe(1);
  });

  it('is no older one that happens to have made the same of it', () => {
    const told = history([write('B', 2, { was: 'A' }), write('A', 1)]);
    expect(writeOf(title, late('A'), told)).toBeNull();
  });

  it('is unknown where the history says nothing of the field, or of this value', () => {
    const other = write('A', 1, { field: 'linkedin_url' });
    expect(writeOf(title, late('A'), history([other, write('B', 2)]))).toBeNull();
    expect(writeOf(title, late('A'), history([]))).toBeNull();
  });

  it('made whatever it is now, where the history is up to the version that was read', () => {
    const told = history([write('x', 900_000, { field: 'other' }), write('Senior Pilot', 5)]);
    expect(writeOf(title, { value: 'SVP', versionMs: 900_500 }, told)?.atMs).toBe(5);
    expect(writeOf(title, { value: 'SVP', versionMs: 990_000 }, told)).toBeNull();
  });

  it.each<[Json, Json]>([
    [' Head of  Sales ', 'Head of Sales'],
    ['ADA@X.EXAMPLE', 'ada@x.example'],
    ['+47 (22) 33-44-55', '+4722334455'],
    ['', null],
  ])('made %j, which the CRM keeps as %j', (told, held) => {
    expect(writeOf(title, late(held), history([write(told, 5)]))?.atMs).toBe(5);
  });

  it('may have changed a part of the value alone', () => {
    const first = { field: 'name', within: ['first_name'] };
    const last = { field: 'name', within: ['last_name'] };
    const told = history([write('Ada', 2, first), write('Byron', 1, last)]);
    expect(writeOf(name, late({ first_name: 'Ada', last_name: 'King' }), told)?.atMs).toBe(2);
    expect(writeOf(name, late({ first_name: 'Eve', last_name: 'Byron' }), told)).toBeNull();
    expect(writeOf(name, late(null), told)).toBeNull();
    const both = history([write('Old', 2, last), write('Ada', 2, first)]);
    expect(writeOf(name, late({ first_name: 'Ada', last_name: 'King' }), both)?.atMs).toBe(2);
  });

  it('may have put the whole, to which the CRM adds', () => {
    const told = history([write({ first_name: 'Ada', last_name: 'King' }, 4, { field: 'name' })]);
    const held = { first_name: 'Ada', last_name: 'King', full_name: 'Ada King' };
    expect(writeOf(name, late(held), told)?.atMs).toBe(4);
  });

  it('may have put in or taken out an item, wherever that is now', () => {
    const mails = field('emails', 'texts', { caseInsensitive: true });
    const item = { field: 'emails', within: ['1'] };
    const added = history([write('B@x', 3, item)]);
    expect(writeOf(mails, late(['b@x', 'a@x']), added)?.atMs).toBe(3);
    expect(writeOf(mails, late(['a@x']), added)).toBeNull();
    const removed = history([write(null, 3, { ...item, was: 'b@x' })]);
    expect(writeOf(mails, late(['a@x']), removed)?.atMs).toBe(3);
    expect(writeOf(mails, late(['a@x', 'b@x']), removed)).toBeNull();
  });

  it('may be a merge, where no write explains the value', () => {
    const merges = [{ atMs: 7, by: 'merger' }];
    expect(writeOf(title, late('C'), history([write('A', 3)], { merges }))).toEqual(merges[0]);
    expect(writeOf(title, late('A'), history([write('A', 3)], { merges }))?.atMs).toBe(3);
    expect(writeOf(title, late('C'), history([], { merges }))).toEqual(merges[0]);
  });

  it('compares as both sides do', () => {
    expect(writeOf(title, late(null), history([write(null, 1)]))?.atMs).toBe(1);
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
    expect(birthOf(now, history(edits))).toEqual({
      fields: { job_title: 'B', name: { first_name: 'Ada', last_name: 'Mo' }, kept: 1 },
      isTold: false,
    });
    const whole = [...edits, write('A', 1, { isBirth: true })];
    expect(birthOf(now, history(whole, { isWhole: true }))).toMatchObject({
      fields: { job_title: 'A' },
      isTold: true,
    });
  });

  it('puts items back where they were', () => {
    const item = (at: string, value: Json, was: Json) =>
      write(value, 1, { field: 'emails', within: [at], value, was });
    const now = record({ emails: ['a', 'd', 'e'] });
    const edits = [item('2', 'e', null), item('1', null, 'b'), item('1', 'd', 'c')];
    expect(birthOf(now, history(edits)).fields).toEqual({ emails: ['a', 'c', 'd'] });
  });

  it('is open where an edit does not say what it replaced, unless an older one does', () => {
    const now = record({ job_title: 'C', kept: 1 });
    const edit = write('C', 3, { was: undefined });
    const whole = { isWhole: true };
    expect(birthOf(now, history([edit], whole))).toEqual({ fields: { kept: 1 }, isTold: false });
    const older = write('B', 2, { was: 'A' });
    expect(birthOf(now, history([edit, older], whole))).toEqual({
      fields: { job_title: 'A', kept: 1 },
      isTold: true,
    });
  });
});
