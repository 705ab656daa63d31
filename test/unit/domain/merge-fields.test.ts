import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalValues } from '../../../src/domain/equal.ts';
import type { Json } from '../../../src/domain/json.ts';
import { type ConflictPolicy, mergeField } from '../../../src/domain/merge-fields.ts';
import { field } from '../../support/fields.ts';

const POLICIES: readonly ConflictPolicy[] = ['newest', 'remote', 'local', 'manual'];
const tags = field('tags', 'texts', { caseInsensitive: true });
const title = field('title', 'text');
const LOCAL_LATER = { localMs: 2, remoteMs: 1 };

const anyList = fc
  .uniqueArray(fc.constantFrom('a', 'A', 'B', 'b', 'c', 'D', 'e'), {
    maxLength: 5,
    selector: (item) => item.toLowerCase(),
  })
  .chain((items) => fc.constantFrom<Json>(items, items.length === 0 ? null : items));
const anyPolicy = fc.constantFrom(...POLICIES);
const setPolicy = fc.constantFrom<ConflictPolicy>('newest', 'remote', 'local');

function itemsOf(value: Json): readonly string[] {
  return Array.isArray(value) ? value.map((item) => String(item).toLowerCase()) : [];
}

/** What both sides hold once everything has been sent. */
function agreed(versions: { base: Json; local: Json; remote: Json }, policy: ConflictPolicy): Json {
  const outcome = mergeField(tags, versions, policy, LOCAL_LATER);
  switch (outcome.kind) {
    case 'settled':
    case 'overtaken':
      return versions.remote;
    case 'merged':
      return outcome.value;
    case 'pending':
    case 'open':
      return versions.local;
  }
}

describe('merging one field', () => {
  const [A, B, C] = ['a', 'b', 'c'];

  test('different fields and one-sided changes never conflict', () => {
    const times = { localMs: 1, remoteMs: 2 };
    for (const policy of POLICIES) {
      const merge = (base: Json, local: Json, remote: Json) =>
        mergeField(title, { base, local, remote }, policy, times);
      expect(merge(A, B, A)).toEqual({ kind: 'pending', conflict: false });
      expect(merge(A, A, C)).toEqual({ kind: 'settled', conflict: false });
      expect(merge(A, B, B)).toEqual({ kind: 'settled', conflict: false });
      expect(merge(A, A, A)).toEqual({ kind: 'settled', conflict: false });
    }
  });

  test.each([
    ['remote', 2, 1, 'settled'],
    ['local', 1, 2, 'pending'],
    ['manual', 2, 1, 'open'],
    ['newest', 2, 1, 'pending'],
    ['newest', 1, 2, 'settled'],
    ['newest', 1, 1, 'settled'],
    ['newest', 1, null, 'pending'],
  ] as const)(
    'both sides changed it: %s, local %s, remote %s: %s',
    (policy, localMs, remoteMs, kind) => {
      const versions = { base: 'a', local: 'b', remote: 'c' };
      const times = { localMs, remoteMs };
      expect(mergeField(title, versions, policy, times)).toEqual({
        kind,
        conflict: true,
        ...(policy === 'newest' && { byTime: true }),
      });
    },
  );

  test('a conflict is found where, and only where, both sides changed it to different values', () => {
    const anyText = fc.constantFrom<Json>('a', 'b', 'c', null);
    fc.assert(
      fc.property(anyText, anyText, anyText, anyPolicy, (base, local, remote, policy) => {
        const { conflict } = mergeField(title, { base, local, remote }, policy, LOCAL_LATER);
        expect(conflict).toBe(local !== base && remote !== base && local !== remote);
      }),
    );
    fc.assert(
      fc.property(anyList, anyList, anyList, anyPolicy, (base, local, remote, policy) => {
        const { conflict } = mergeField(tags, { base, local, remote }, policy, LOCAL_LATER);
        const differ = (a: Json, b: Json) => !equalValues(tags, a, b);
        expect(conflict).toBe(differ(local, base) && differ(remote, base) && differ(local, remote));
      }),
    );
  });
});

describe('merging collections as sets', () => {
  test('no add is lost and no removal revived, whichever side made it', () => {
    fc.assert(
      fc.property(anyList, anyList, anyList, setPolicy, (base, local, remote, policy) => {
        const [before, ours, theirs] = [itemsOf(base), itemsOf(local), itemsOf(remote)];
        const after = itemsOf(agreed({ base, local, remote }, policy));
        for (const item of new Set([...before, ...ours, ...theirs])) {
          const wasThere = before.includes(item);
          const staysOrComes = wasThere
            ? ours.includes(item) && theirs.includes(item)
            : ours.includes(item) || theirs.includes(item);
          expect(after.includes(item)).toBe(staysOrComes);
        }
        expect(new Set(after).size).toBe(after.length);
      }),
      { numRuns: 500 },
    );
  });

  test('which side is which does not matter to the content', () => {
    fc.assert(
      fc.property(anyList, anyList, anyList, setPolicy, (base, one, other, policy) => {
        const there = agreed({ base, local: one, remote: other }, policy);
        const back = agreed({ base, local: other, remote: one }, policy);
        expect(itemsOf(back).toSorted()).toEqual(itemsOf(there).toSorted());
      }),
    );
  });

  test('what was merged is at rest once it has been sent', () => {
    fc.assert(
      fc.property(anyList, anyList, anyList, setPolicy, (base, local, remote, policy) => {
        const value = agreed({ base, local, remote }, policy);
        const versions = { base: remote, local: value, remote: value };
        expect(mergeField(tags, versions, policy, LOCAL_LATER).conflict).toBe(false);
      }),
    );
  });

  test('an item counts once whatever its case, and one that was added twice is added once', () => {
    const versions = { base: ['a@x'], local: ['A@x', 'b@x', 'B@X'], remote: ['a@X', 'c@x'] };
    const outcome = mergeField(tags, versions, 'newest', LOCAL_LATER);
    expect(outcome).toEqual({ kind: 'merged', conflict: true, value: ['a@X', 'c@x', 'b@x'] });
  });

  test('how an item is spelt is taken from whoever spelt it anew', () => {
    const merge = (base: Json, local: Json, remote: Json) =>
      mergeField(tags, { base, local, remote }, 'manual', LOCAL_LATER);
    const spelt = (value: Json) => ({ kind: 'merged', conflict: false, value });
    expect(merge(['a@x'], ['A@x'], ['a@x'])).toEqual({ kind: 'pending', conflict: false });
    expect(merge(['a@x'], ['A@x'], ['a@x', 'b@x'])).toEqual(spelt(['A@x', 'b@x']));
    expect(merge(['a@x'], ['b@x', 'a@x'], ['A@x'])).toEqual(spelt(['b@x', 'A@x']));
    expect(merge(['a@x'], ['A@x'], ['b@x'])).toEqual({ kind: 'overtaken', conflict: false });
    expect(merge(['a@x'], ['A@x'], ['a@X'])).toEqual({ kind: 'pending', conflict: false });
    const versions = { base: ['a@x'], local: ['A@x', 'b@x'], remote: ['a@x', 'c@x'] };
    const outcome = mergeField(tags, versions, 'newest', LOCAL_LATER);
    expect(outcome).toMatchObject({ conflict: true, value: ['A@x', 'c@x', 'b@x'] });
  });

  test('by hand a collection waits for a person like any other field', () => {
    const versions = { base: ['a'], local: ['a', 'b'], remote: ['a', 'c'] };
    const outcome = mergeField(tags, versions, 'manual', LOCAL_LATER);
    expect(outcome).toEqual({ kind: 'open', conflict: true });
  });

  test('where a side is no list, the policy decides', () => {
    const versions = { base: ['a'], local: ['b'], remote: { items: 'odd' } };
    expect(mergeField(tags, versions, 'remote', LOCAL_LATER).kind).toBe('settled');
    expect(mergeField(tags, versions, 'local', LOCAL_LATER).kind).toBe('pending');
  });
});
