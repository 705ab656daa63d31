import {
  addApplied,
  type ReadDeps,
  type Reading,
  type ReadOptions,
} from '../conflicts/read-object.ts';
import { newBuffer } from '../db/backfill/copy.ts';
import type { CopyBuffer } from '../db/backfill/copy-buffer.ts';
import { type BackfillKey, type BackfillRange, moveRange } from '../db/backfill/ranges.ts';
import type { Transaction } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Stamping } from '../domain/stamping.ts';
import { addRecords, type Chunk, newChunk } from './chunk.ts';
import { type Pace, paceOf } from './pace.ts';
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

/** Long records are written sooner: of each reader two chunks are held. */
const CHUNK_BYTES = 2_500_000;
/** Records to be merged are held as objects, and weigh ten times as much as their bytes. */
const MERGED_AT_ONCE = 2_000;

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
  const { pageSize } = deps.remote.limits;
  const pace = paceOf(job.total, { pageSize, readers: options.readers });
  const readBefore = job.ranges.reduce((sum, { read }) => sum + Number(read), 0);
  const left = job.total === null ? null : Math.max(0, job.total - readBefore);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const due = job.ranges.filter(({ done }) => !done);
  const work = async () => {
    const buffer = newBuffer(table);
    for (let range = due.shift(); range; range = due.shift()) {
      try {
        await fillRange(deps, table, reading, {
          ...options,
          signal,
          range,
          pace,
          left,
          buffer,
        });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: pace.readers }, work));
  options.signal.throwIfAborted();
  // Of the others each was stopped by the first.
  if (failed.signal.aborted) throw failed.signal.reason;
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

interface RangeOptions extends ReadOptions {
  readonly job: Job;
  readonly range: BackfillRange;
  readonly pace: Pace;
  readonly left: number | null;
  /** The reader's own. */
  readonly buffer: CopyBuffer;
}

async function fillRange(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: RangeOptions,
): Promise<void> {
  const { job } = options;
  let { range } = options;
  // Where an earlier attempt stopped, records at its watermark may stand already.
  let mode: Chunk['mode'] = job.direct && range.watermark === null ? 'copy' : 'merge';
  for (let through = false; !through; mode = 'merge') {
    ({ range, through } = await readOn(deps, table, reading, { ...options, range, mode }));
  }
  job.ranges[range.position] = range;
}

/**
 * Reads a range until it is through, or a chunk cannot be copied: then it is read again. A chunk
 * is written while the next one is read, or the next page alone, but where records are merged: those
 * are held as objects.
 */
async function readOn(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: RangeOptions & { readonly mode: Chunk['mode'] },
): Promise<{ readonly range: BackfillRange; readonly through: boolean }> {
  const { mode, pace, buffer } = options;
  const isMerge = mode === 'merge';
  const most = isMerge ? Math.min(pace.chunkRecords, MERGED_AT_ONCE) : pace.chunkRecords;
  let { range } = options;
  // A write that comes to nothing calls off the reading that goes on beside it.
  const calledOff = new AbortController();
  const signal = AbortSignal.any([options.signal, calledOff.signal]);
  const startChunk = (readAt: string, stamping: Stamping) =>
    newChunk(mode, readAt, stamping, buffer);
  let chunk = startChunk(await readDatabaseTime(deps.db), range.stamping);
  let { watermark } = range;
  let readBefore = 0;
  let problem: string | null = null;
  let writing: Promise<Written | null> = Promise.resolve({ range, at: chunk.readAt });
  const onRecords = (records: readonly RemoteRecord[]) => addRecords(chunk, table, records);
  try {
    for await (const page of readRange(deps, table, range, { ...options, signal, onRecords })) {
      reading.counts.requests += page.requests;
      chunk.again += page.again;
      watermark = page.watermark ?? watermark;
      const pageRecords = chunk.read - readBefore;
      readBefore = chunk.read;
      // Another page like this one would not fit.
      const isFull = chunk.read + pageRecords > most || chunk.bytes >= CHUNK_BYTES;
      if (!isFull && page.verdict === null) {
        // What is read and not written stays a chunk and a page.
        if (!pace.ahead) await writing;
        continue;
      }
      let written = await writing;
      if (written === null) return { range, through: false };
      ({ range } = written);
      const done = page.verdict === 'ok';
      if (page.verdict === 'incomplete') problem = `walk-${page.problem ?? 'unproven'}`;
      writing = write(deps, table, reading, { ...options, range, chunk, watermark, done });
      writing.then(
        (moved) => moved ?? calledOff.abort(),
        (error: unknown) => calledOff.abort(error),
      );
      if (isMerge) written = (await writing) ?? written;
      // A time before its first page, and as late as can be: of the last write that is done.
      chunk = startChunk(written.at, chunk.stamping);
      readBefore = 0;
    }
    const written = await writing;
    if (written === null) return { range, through: false };
    if (problem !== null) leave(reading, problem);
    return { range: written.range, through: true };
  } catch (error) {
    // Nothing is left running, and what the write says comes first.
    if ((await writing) === null) return { range, through: false };
    throw error;
  }
}

interface Written {
  readonly range: BackfillRange;
  /** Database time, from before it was written. */
  readonly at: string;
}

/** @returns null where the chunk has to be merged, and was not kept for it. */
async function write(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: RangeOptions & {
    readonly chunk: Chunk;
    readonly watermark: string | null;
    readonly done: boolean;
  },
): Promise<Written | null> {
  const { job, range, chunk, watermark, done } = options;
  let written: Written = { range, at: chunk.readAt };
  const save = async (tx: Transaction) => {
    const moved = await moveRange(tx, job.key, range, {
      watermark,
      done,
      read: range.read + BigInt(chunk.read),
      stamping: chunk.stamping,
    });
    written = { range: moved, at: tx.startedAt };
  };
  const applied = await writeChunk(deps, table, chunk, save);
  if (applied === null) return null;
  if (chunk.refused > 0) leave(reading, 'record-id-unstorable');
  reading.counts.read += chunk.read;
  addApplied(reading, applied);
  options.onPage?.({ read: chunk.read - chunk.again, total: options.left });
  return written;
}

/** Says that something is missing, and goes on with the rest. The first reason stays. */
export function leave(reading: Reading, reason: string): void {
  reading.state = 'incomplete';
  reading.reason ??= reason;
}
