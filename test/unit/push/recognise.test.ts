import { describe, expect, it } from 'vitest';
import type { StrandedEntry } from '../../../src/db/outbox.ts';
import type { Json } from '../../../src/domain/json.ts';
import { type Candidate, recognise } from '../../../src/push/recognise.ts';
import { field, objectSchema } from '../../support/fields.ts';

const task = objectSchema('task', [field('title', 'text'), field('status', 'text')]);

type Fields = Readonly<Record<string, Json>>;

function sent(id: bigint, fields: Fields, matchOn: string | null = null): StrandedEntry {
  const sentAt = '2026-01-01T00:00:00.000Z';
  return { id, object: 'task', recordId: `local:${id}`, fields, matchOn, sentAt, waitMs: 0 };
}

function found(
  id: string,
  fields: Fields,
  more: { edited?: boolean; before?: Fields } = {},
): Candidate {
  const createdAt = '2026-01-01T00:00:01.000Z';
  const updatedAt = more.edited ? '2026-01-01T00:00:09.000Z' : createdAt;
  const system = {
    createdAt,
    updatedAt,
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: {},
  };
  return { record: { id, fields, ...system }, before: more.before ?? {} };
}

const verdicts = (entries: readonly StrandedEntry[], candidates: readonly Candidate[]) =>
  recognise(task, entries, candidates).map((one) =>
    one.kind === 'found' ? one.record.id : one.kind,
  );

describe('a create that may have arrived', () => {
  const call = sent(1n, { title: 'Call', status: 'Open' });

  it('is the record that holds what was sent', () => {
    const other = found('b', { title: 'Write', status: 'Open' });
    expect(
      verdicts([call], [other, found('a', { title: 'Call', status: 'Open', extra: 1 })]),
    ).toEqual(['a']);
  });

  it('is missing where no record does', () => {
    expect(verdicts([call], [found('a', { title: 'Write', status: 'Open' })])).toEqual(['missing']);
    expect(verdicts([call], [])).toEqual(['missing']);
  });

  it('gets one of as many as were sent alike, and none of more', () => {
    const alike = ['a', 'b'].map((id) => found(id, { title: 'Call', status: 'Open' }));
    const twice = [call, sent(2n, { title: 'Call', status: 'Open' })];
    expect(verdicts(twice, alike)).toEqual(['a', 'b']);
    expect(verdicts(twice, alike.slice(0, 1))).toEqual(['a', 'missing']);
    expect(verdicts([call], alike)).toEqual(['ambiguous']);
  });

  it('is left to a person where it may have been edited in the CRM since', () => {
    const edited = found('a', { title: 'Call', status: 'Done' }, { edited: true });
    expect(verdicts([call], [edited])).toEqual(['ambiguous']);
    const far = found('a', { title: 'Write', status: 'Done' }, { edited: true });
    expect(verdicts([call], [far])).toEqual(['missing']);
  });

  it('is known again by what it held before it was edited here', () => {
    const before = { status: 'Open' };
    const edited = found('a', { title: 'Call', status: 'Done' }, { edited: true, before });
    expect(verdicts([call], [edited])).toEqual(['a']);
  });

  it('is known by its identity alone, where it has one', () => {
    const named = sent(1n, { title: 'Call', status: 'Open' }, 'title');
    const there = found('a', { title: 'Call', status: 'Done' }, { edited: true });
    expect(verdicts([named], [there])).toEqual(['identified']);
    expect(verdicts([named], [found('b', { title: 'Mail', status: 'Open' })])).toEqual(['missing']);
  });
});
