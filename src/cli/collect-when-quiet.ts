import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const LOOK_MS = 60_000;
/** Of the time between two looks: more than an idle service takes with a hundred workspaces. */
const QUIET_SHARE = 0.1;
/** Spare heap that is worth a collection, which takes some 40 ms. */
const SPARE_BYTES = 8 * 2 ** 20;

export interface CollectDeps {
  /** Of the process so far, milliseconds. */
  readonly processorMs: () => number;
  readonly spareHeapBytes: () => number;
  readonly collect: () => void;
}

/**
 * Gives memory back that starting or a busy hour took: V8 keeps the room for young objects at its
 * largest until the old ones are collected, and where little happens that is hardly ever. Looks once a minute,
 * and does nothing while there is work. @returns what ends it.
 */
export function collectWhenQuiet(deps: CollectDeps = ofThisProcess()): () => void {
  const { processorMs, spareHeapBytes, collect } = deps;
  let seenMs = processorMs();
  /** Lies between what is alive, and stays: collecting does not bring it back. */
  let keptBytes = 0;
  const timer = setInterval(() => {
    const nowMs = processorMs();
    const isQuiet = nowMs - seenMs < LOOK_MS * QUIET_SHARE;
    seenMs = nowMs;
    if (!isQuiet || spareHeapBytes() - keptBytes <= SPARE_BYTES) return;
    collect();
    keptBytes = spareHeapBytes();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function ofThisProcess(): CollectDeps {
  setFlagsFromString('--expose-gc');
  return {
    processorMs() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    spareHeapBytes() {
      const { heapTotal, heapUsed } = process.memoryUsage();
      return heapTotal - heapUsed;
    },
    // V8 defines the function in contexts that are made from now on.
    collect: () => void runInNewContext('gc()'),
  };
}
