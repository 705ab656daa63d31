import type { ReadDeps, Reading, ReadOptions } from '../conflicts/read-object.ts';
import { type BackfillKey, type BackfillRange, moveRange } from '../db/backfill-ranges.ts';
import { readDatabaseTime } from '../db/cursor.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { judgeStamping } from '../domain/stamping.ts';
import { addRecord, type Chunk, newChunk } from './chunk.ts';
import { readRange } from './read-range.ts';
import { writeChunk } from './write-chunk.ts';

/** A backfill under way. */
export interface Job {
  readonly key: BackfillKey;
  /** Updated as they are read. */
  readonly ranges: BackfillRange[];
  /** COPY meets no rows but those of this backfill. */
  readonly direct: boolean;
  /** Records there were when it was planned. */
  readonly total: number | null;
}

/** Records written at once, at most: few enough to hold, enough to be worth a transaction. */
const CHUNK_RECORDS = 2_000;
const CHUNK_CHARACTERS = 4_000_000;
/** What is read and not yet written is lost with the process: all of it stays below this share. */
const UNWRITTEN_SHARE = 0.1;
/** With fewer records for each, a reader's first page alone is more than that share. */
const RECORDS_PER_READER = 8_000;

/**
 * Reads what is left of the ranges, several at a time. Each chunk is committed together with the
 * range that it belongs to, so that a kill loses the chunks under way and nothing else.
 *
 * @throws the first error; then nothing runs any more.
 */
export async function fillRanges(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions & { readonly job: Job; readonly readers: number },
): Promise<void> {
  const { job } = options;
  const total = job.total ?? 0;
  const fitting = Math.max(1, Math.floor(total / RECORDS_PER_READER));
  const readers = Math.min(options.readers, fitting);
  const chunkRecords = Math.min(CHUNK_RECORDS, Math.floor((total * UNWRITTEN_SHARE) / readers));
  const readBefore = job.ranges.reduce((sum, { read }) => sum + Number(read), 0);
  const left = job.total === null ? null : Math.max(0, job.total - readBefore);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const due = job.ranges.filter(({ done }) => !done);
  const work = async () => {
    for (let range = due.shift(); range; range = due.shift()) {
      try {
        await fillRange(deps, table, reading, { ...options, signal, range, chunkRecords, left });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: readers }, work));
  options.signal.throwIfAborted();
  // Of the others each was stopped by the first.
  if (failed.signal.aborted) throw failed.signal.reason;
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function fillRange(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions & {
    readonly job: Job;
    readonly range: BackfillRange;
    readonly chunkRecords: number;
    readonly left: number | null;
  },
): Promise<void> {
  const { job, chunkRecords } = options;
  let { range } = options;
  const pages = readRange(deps, table, range, options);
  let chunk = newChunk(await readDatabaseTime(deps.db));
  let { watermark } = range;
  for await (const page of pages) {
    reading.counts.requests += 1;
    for (const record of page.records) addRecord(chunk, table, record);
    watermark = page.watermark ?? watermark;
    const isFull = chunk.records.length >= chunkRecords || chunk.characters >= CHUNK_CHARACTERS;
    if (!isFull && page.verdict === null) continue;
    range = await write(deps, table, reading, {
      ...options,
      range,
      chunk,
      watermark,
      done: page.verdict === 'ok',
    });
    if (page.verdict === 'incomplete') leave(reading, `walk-${page.problem ?? 'unproven'}`);
    if (page.verdict === null) chunk = newChunk(await readDatabaseTime(deps.db));
  }
  job.ranges[range.position] = range;
}

async function write(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions & {
    readonly job: Job;
    readonly range: BackfillRange;
    readonly chunk: Chunk;
    readonly watermark: string | null;
    readonly done: boolean;
    readonly left: number | null;
  },
): Promise<BackfillRange> {
  const { job, range, chunk, watermark, done } = options;
  let moved = range;
  const counts = await writeChunk(deps, table, chunk, {
    direct: job.direct,
    save: async (tx) => {
      moved = await moveRange(tx, job.key, range, {
        watermark,
        done,
        read: range.read + BigInt(chunk.read),
        stamping: judgeStamping(range.stamping, chunk.records),
      });
    },
  });
  if (chunk.refused > 0) leave(reading, 'record-id-unstorable');
  reading.counts.read += chunk.read;
  reading.counts.inserted += counts.inserted;
  reading.counts.updated += counts.updated;
  reading.counts.deferred += counts.deferred;
  reading.counts.conflicts += counts.conflicts;
  reading.counts.extra += counts.extra;
  options.onPage?.({ read: chunk.read, total: options.left });
  return moved;
}

/** Says that something is missing, and goes on with the rest. The first reason stays. */
export function leave(reading: Reading, reason: string): void {
  reading.state = 'incomplete';
  reading.reason ??= reason;
}
