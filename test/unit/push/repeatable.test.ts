import { describe, expect, test } from 'vitest';
import type { Creating } from '../../../src/domain/capabilities.ts';
import type { ClaimedEntry } from '../../../src/domain/coalesce.ts';
import type { Json } from '../../../src/domain/json.ts';
import { coalesceAll, prepare } from '../../../src/push/outgoing.ts';
import { field, objectSchema } from '../../support/fields.ts';

const schema = objectSchema('person', [
  field('name', 'text'),
  field('email', 'texts'),
  field('stage', 'text', { setAfterwards: true }),
]);

/** What goes out of one entry of a record. */
function sent(
  recordId: string,
  op: ClaimedEntry['op'],
  values: Readonly<Record<string, Json>>,
  creating: Creating,
) {
  const changes = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { base: null, value }]),
  );
  const entries = [{ id: 1n, op, changes }];
  const claimed = { recordId, entries, attempts: 1, sentBefore: new Set<bigint>() };
  const { outgoing } = prepare(schema, coalesceAll([{ ...claimed, unapprovedDelete: false }]), {
    resolve: () => ({ kind: 'unknown' }),
    earlier: new Set<string>(),
    identity: 'email',
    creating,
  });
  return outgoing[0];
}

describe('what makes a create safe to repeat', () => {
  const born = (creating: Creating, values: Readonly<Record<string, Json>>) =>
    sent('local:1', 'insert', values, creating);
  const external = { kind: 'external-id', field: 'name' } as const;

  test('an upsert by what identifies the record, where it has that', () => {
    const upsert = { kind: 'upsert' } as const;
    expect(born(upsert, { email: ['a@x'] })).toMatchObject({ matchOn: 'email', identity: 'email' });
    expect(born(upsert, { email: [], name: 'n' })).toMatchObject({ matchOn: null, identity: null });
  });

  test('an id of ours, where the row brings none: its own', () => {
    const given = born(external, { email: ['a@x'] });
    expect(given).toMatchObject({ matchOn: 'name', identity: 'email' });
    expect(given?.fields).toEqual({ email: ['a@x'], name: 'local:1' });
    expect(given?.changes).not.toHaveProperty('name');
    const brought = born(external, { name: 'theirs' });
    expect(brought).toMatchObject({ matchOn: 'name', identity: null, fields: { name: 'theirs' } });
  });

  test.each([{ kind: 'lookup', field: 'name' } as const, { kind: 'created-since' } as const])(
    'nothing, where it has to be looked for: $kind',
    (creating) => {
      expect(born(creating, { email: ['a@x'] })).toMatchObject({
        matchOn: null,
        identity: 'email',
      });
    },
  );

  test('edits are repeatable as they are', () => {
    const edit = sent('X', 'update', { name: 'n' }, external);
    expect(edit).toMatchObject({ kind: 'update', matchOn: null, fields: { name: 'n' } });
  });
});

describe('what can only be set once a record is there', () => {
  const lookup = { kind: 'lookup', field: 'name' } as const;

  test('goes with no create, and is remembered beside it', () => {
    const born = sent('local:1', 'insert', { name: 'n', stage: 'Won' }, lookup);
    expect(born?.fields).toEqual({ name: 'n' });
    expect(born?.afterwards).toEqual({ stage: 'Won' });
    expect(born?.changes).toHaveProperty('stage');
  });

  test('is nothing where it is empty, and no matter of an edit', () => {
    const born = sent('local:1', 'insert', { name: 'n', stage: null }, lookup);
    expect(born).toMatchObject({ fields: { name: 'n' } });
    expect(born).not.toHaveProperty('afterwards');
    expect(sent('X', 'update', { stage: 'Won' }, lookup)?.fields).toEqual({ stage: 'Won' });
  });
});
