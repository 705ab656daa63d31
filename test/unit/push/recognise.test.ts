import { describe, expect, it } from 'vitest';
import type { StrandedEntry } from '../../../src/db/outbox/outbox.ts';
import type { Json } from '../../../src/domain/json.ts';
import { type Candidate, recognise } from '../../../src/push/recognise.ts';
import { field, objectSchema } from '../../support/fields.ts';

const task = objectSchema('task', [
  field('title', 'text'),
  field('status', 'text'),
  field('priority', 'text'),
  field('company_id', 'reference'),
]);

type Fields = Readonly<Record<string, Json>>;

function sent(id: bigint, fields: Fields, matchOn: string | null = null): StrandedEntry {
  const sentAt = '2026-01-01T00:00:00.000Z';
  return { id, object: 'task', recordId: `local:${id}`, fields, matchOn, sentAt, waitMs: 0 };
}

function found(
  id: string,
  fields: Fields,
  more: { edited?: boolean; before?: Fields; birth?: Candidate['birth'] } = {},
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
  return {
    record: { id, fields, ...system },
    before: more.before ?? {},
    birth: more.birth ?? null,
  };
}

const verdicts = (entries: readonly StrandedEntry[], candidates: readonly Candidate[]) =>
  recognise(task, entries, candidates).map((one) =>
    one.kind === 'found' ? one.record.id : one.kind,
  );

describe('a create that may have arrived', () => {
  it('is none of those that have another identity, however much of it they have', () => {
    const fields = [field('email', 'text'), field('name', 'text')];
    const person = { ...objectSchema('person', fields), identity: 'email' };
    const ann = sent(1n, { email: 'ann@x', name: 'Born' });
    const judge = (email: string | null) =>
      recognise(person, [ann], [found('b', { email, name: 'Born' }, { edited: true })])[0]?.kind;
    expect(judge('bob@x')).toBe('missing');
    expect(judge(null)).toBe('ambiguous');
  });

  it('is known by an identity that no two have, whatever was edited of the rest since', () => {
    const fields = [field('email', 'text'), field('name', 'text')];
    const person = { ...objectSchema('person', fields), identity: 'email' };
    const ann = sent(1n, { email: 'ann@x', name: 'Born' });
    const shown = { email: 'ann@x', name: 'Ann' };
    const judge = (one: Candidate, skewMs = 0) => recognise(person, [ann], [one], skewMs)[0];
    const edited = found('a', shown, { edited: true });
    expect(judge(edited)).toMatchObject({ kind: 'found', supplanted: { name: 'Ann' } });
    // It was there before: what was sent is still to be made of it.
    expect(judge(edited, 60_000)).toMatchObject({ kind: 'identified' });
    const birth = { fields: { ...shown, name: 'Other' }, isTold: true };
    expect(judge(found('a', shown, { edited: true, birth }))).toMatchObject({ kind: 'identified' });
  });

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

  it('is not sent again while little of what was sent is left', () => {
    const three = sent(1n, { title: 'Call', status: 'Open', priority: 'High' });
    const edited = { title: 'Call him', status: 'Done', priority: 'High' };
    expect(verdicts([three], [found('a', edited, { edited: true })])).toEqual(['ambiguous']);
  });

  it('is told by what the record was created with', () => {
    const edited = { title: 'Call him', status: 'Done' };
    const was = (fields: Fields) => ({ edited: true, birth: { fields, isTold: true } });
    const ours = found('a', edited, was({ title: 'Call', status: 'Open' }));
    const other = found('b', { ...edited, title: 'Call' }, was({ title: 'Mail', status: 'Open' }));
    expect(verdicts([call], [other, ours])).toEqual(['a']);
    expect(verdicts([call], [other])).toEqual(['missing']);
    const cut = { edited: true, birth: { fields: other.record.fields, isTold: false } };
    expect(verdicts([call], [found('b', other.record.fields, cut)])).toEqual(['ambiguous']);
  });

  it('is left to a person where the record it named is gone, and the link with it', () => {
    const linked = sent(1n, { title: 'Call', company_id: 'c1' });
    expect(verdicts([linked], [found('a', { title: 'Call' })])).toEqual(['ambiguous']);
    const moved = found('a', { title: 'Call', company_id: 'c2' });
    expect(verdicts([linked], [moved])).toEqual(['missing']);
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
