import { expect, test } from 'vitest';
import { addRecords, newChunk } from '../../../src/backfill/chunk.ts';
import { newBuffer } from '../../../src/db/backfill/copy.ts';
import type { Stamping } from '../../../src/domain/stamping.ts';
import { mirror, recordAt } from './listed-remote.ts';

const atMs = Date.UTC(2026, 0, 5);
const record = (id: string, version: number) => ({
  ...recordAt(id, atMs),
  updatedAt: new Date(atMs + version).toISOString(),
});

function chunkOf(mode: 'copy' | 'merge', stamping: Stamping = 'unknown') {
  return newChunk(mode, '', stamping, newBuffer(mirror));
}

const now = '2026-01-05T00:00:00.000Z';

test('a chunk to be merged holds each record once, in its newest version', () => {
  const chunk = chunkOf('merge');
  addRecords(chunk, mirror, [record('a', 1), record('b', 1)]);
  addRecords(chunk, mirror, [record('a', 2), record('b', 0), record('c', 1)]);
  if (chunk.mode !== 'merge') throw new Error('it is to be merged');
  const versions = chunk.records.map(({ id, updatedAt }) => [id, Date.parse(updatedAt ?? '')]);
  expect(versions).toEqual([
    ['a', atMs + 2],
    ['b', atMs + 1],
    ['c', atMs + 1],
  ]);
  expect(chunk).toMatchObject({ rows: 3, read: 5, refused: 0 });
});

test('a chunk to be copied keeps bytes, and of records only those that tell of more', () => {
  const chunk = chunkOf('copy');
  const linked = { ...record('b', 1), links: { people: { ids: ['p'], total: 1 } } };
  const lonely = { ...record('c', 1), links: { people: { ids: [], total: 0 } } };
  const merged = { ...record('d', 1), mergedIds: ['e'] };
  addRecords(chunk, mirror, [record('a', 1), linked, lonely, merged]);
  if (chunk.mode !== 'copy') throw new Error('it is to be copied');
  expect(chunk.telling.map(({ id }) => id)).toEqual(['b', 'd']);
  expect(chunk.ids).toEqual(['a', 'b', 'c', 'd']);
  expect(chunk).toMatchObject({ rows: 4, bytes: chunk.buffer.length });
});

test('a chunk begins anew in the buffer of the one before', () => {
  const buffer = newBuffer(mirror);
  const first = newChunk('copy', '', 'unknown', buffer);
  addRecords(first, mirror, [record('a', 1), record('b', 1)]);
  buffer.finish(now);
  const second = newChunk('copy', '', 'unknown', buffer);
  addRecords(second, mirror, [record('c', 1)]);
  const alone = newBuffer(mirror);
  addRecords(newChunk('copy', '', 'unknown', alone), mirror, [record('c', 1)]);
  expect(buffer.finish(now).equals(alone.finish(now))).toBe(true);
});

test('a record that Postgres cannot hold harms only itself (invariant 10)', () => {
  for (const mode of ['copy', 'merge'] as const) {
    const chunk = chunkOf(mode);
    addRecords(chunk, mirror, [record('a', 1), record('b\0', 1), record('c', 1)]);
    expect(chunk).toMatchObject({ rows: 2, read: 3, refused: 1 });
  }
});

test('a record that was never edited tells how the server stamps', () => {
  const chunk = chunkOf('copy', 'always');
  addRecords(chunk, mirror, [{ ...record('a', 1), updatedAt: null }]);
  addRecords(chunk, mirror, [record('b', 1)]);
  expect(chunk.stamping).toBe('after_edit');
});
