import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addRecords, newChunk } from '../../../src/backfill/chunk.ts';
import { newBuffer } from '../../../src/db/backfill/copy.ts';
import { CopyBuffer, stamp } from '../../../src/db/backfill/copy-buffer.ts';
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

test('a chunk is gathered in the buffer of the one before while that is written', () => {
  const gather = (chunk: ReturnType<typeof chunkOf>, ...ids: readonly string[]) => {
    const records = ids.map((id) => record(id, 1));
    addRecords(chunk, mirror, records);
    if (chunk.mode !== 'copy') throw new Error('it is to be copied');
    return chunk.buffer;
  };
  const buffer = newBuffer(mirror);
  const begin = () => newChunk('copy', '', 'unknown', buffer);
  const first = gather(begin(), 'a', 'b').takeSorted();
  const second = gather(begin(), 'c');
  const alone = (...ids: readonly string[]) => {
    return stamp(gather(chunkOf('copy'), ...ids).end(), now);
  };
  expect(stamp(first, now)).toEqual(alone('a', 'b'));
  expect(stamp(second.takeSorted(), now)).toEqual(alone('c'));
  // Of an attempt that came to nothing.
  gather(begin(), 'd');
  expect(stamp(gather(begin(), 'e').takeSorted(), now)).toEqual(alone('e'));
});

test('rows are copied in the order of their keys, and each is whole', () => {
  const buffer = new CopyBuffer(['text', 'text', 'now']);
  const anyId = fc.oneof(fc.uuid(), fc.string({ minLength: 4, maxLength: 6 }));
  fc.assert(
    fc.property(fc.array(anyId, { maxLength: 50 }), (ids) => {
      const rows = ids.map((id, place) => [id, place % 7 === 0 ? null : 'x'.repeat(place), null]);
      const copied = (given: typeof rows, take: 'end' | 'takeSorted') => {
        buffer.clear();
        for (const row of given) buffer.append(row);
        return stamp(buffer[take](), now);
      };
      const firstBytes = (id: string) => Buffer.from(id).readUInt32BE();
      const sorted = rows.toSorted(([a], [b]) => firstBytes(a ?? '') - firstBytes(b ?? ''));
      expect(copied(rows, 'takeSorted')).toEqual(copied(sorted, 'end'));
    }),
  );
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
