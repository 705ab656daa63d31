import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coalesceLinks, type LinkEntry, mergeLinkSet } from '../../../src/domain/coalesce-links.ts';

const entry = (id: number, op: LinkEntry['op'], other: string, sentBefore = false): LinkEntry => {
  return { id: BigInt(id), op, other, sentBefore };
};

describe('entries about one record’s links', () => {
  test('the last one counts, the earlier ones end with it', () => {
    expect(
      coalesceLinks([entry(1, 'link', 'a'), entry(2, 'unlink', 'a'), entry(3, 'link', 'a')]),
    ).toEqual([{ other: 'a', kind: 'link', entry: 3n, earlier: [1n, 2n] }]);
  });

  test('a link made and taken back cancels out, and so does one taken away and made again', () => {
    const entries = [
      entry(1, 'link', 'a'),
      entry(2, 'unlink', 'b'),
      entry(3, 'unlink', 'a'),
      entry(4, 'link', 'b'),
    ];
    expect(coalesceLinks(entries).map(({ kind }) => kind)).toEqual(['nothing', 'nothing']);
  });

  test('what may have arrived is taken back', () => {
    expect(coalesceLinks([entry(1, 'link', 'a', true), entry(2, 'unlink', 'a')])).toEqual([
      { other: 'a', kind: 'unlink', entry: 2n, earlier: [1n] },
    ]);
  });

  test('sending what is left brings any set to where the entries one by one would', () => {
    const others = fc.constantFrom('a', 'b', 'c', 'd');
    const write = fc.record({ other: others, sentBefore: fc.boolean() });
    fc.assert(
      fc.property(fc.uniqueArray(others), fc.array(write), (start, writes) => {
        const local = new Set(start);
        const remote = new Set(start);
        const entries = writes.map(({ other, sentBefore }, index) => {
          // A row can be inserted where there is none, and deleted where there is one.
          const op = local.has(other) ? 'unlink' : 'link';
          if (op === 'link') local.add(other);
          else local.delete(other);
          if (sentBefore && op === 'link') remote.add(other);
          if (sentBefore && op === 'unlink') remote.delete(other);
          return entry(index, op, other, sentBefore);
        });
        const changes = coalesceLinks(entries);
        expect([...mergeLinkSet(remote, changes)].toSorted()).toEqual([...local].toSorted());
        const accounted = changes.flatMap((change) => [change.entry, ...change.earlier]);
        expect(accounted).toHaveLength(entries.length);
        expect(new Set(accounted)).toEqual(new Set(entries.map(({ id }) => id)));
      }),
    );
  });
});
