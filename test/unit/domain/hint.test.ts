import { expect, it } from 'vitest';
import { type Hint, notedHints } from '../../../src/domain/hint.ts';

const objects = new Map([['o', 'people']]);
const hint = (id: string, kind: 'changed' | 'deleted'): Hint => ({ ref: 'o', id, kind });
const merged = (id: string, survivor: string): Hint => ({ ref: 'o', id, kind: 'merged', survivor });

it('is noted once for each record, by the most that was told of it', () => {
  const told = [
    hint('a', 'changed'),
    hint('b', 'deleted'),
    hint('a', 'deleted'),
    hint('b', 'changed'),
  ];
  expect(notedHints(told, objects)).toEqual([
    { object: 'people', id: 'a', kind: 'deleted', survivor: null },
    { object: 'people', id: 'b', kind: 'deleted', survivor: null },
  ]);
  expect(notedHints([merged('a', 'c'), hint('a', 'deleted')], objects)).toEqual([
    { object: 'people', id: 'a', kind: 'merged', survivor: 'c' },
  ]);
});

it('is not noted of objects that are not mirrored', () => {
  expect(notedHints([{ ref: 'x', id: 'a', kind: 'changed' }], objects)).toEqual([]);
});

it('takes a record that was merged into itself for one that has changed', () => {
  expect(notedHints([merged('a', 'a')], objects)).toEqual([
    { object: 'people', id: 'a', kind: 'changed', survivor: null },
  ]);
});
