import { readdir, readFile } from 'node:fs/promises';

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

interface ProcessTimes {
  readonly parent: number;
  readonly ownMs: number;
  /** Of children that have ended and were waited for. */
  readonly endedMs: number;
}

/** Null where there is no such process, or no `/proc`. */
async function readTimes(pid: number): Promise<ProcessTimes | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name comes first, in parentheses, and may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined) return null;
  const number = (position: number) => Number(fields[position]);
  return {
    parent: number(1),
    ownMs: (number(11) + number(12)) * TICK_MS,
    endedMs: (number(13) + number(14)) * TICK_MS,
  };
}

/**
 * Processor time that a process and its children have taken so far, milliseconds; null where this
 * machine does not tell. Wall-clock time says little where others work on the same machine.
 */
export async function readProcessorMs(pid: number): Promise<number | null> {
  const root = await readTimes(pid);
  if (root === null) return null;
  let sumMs = root.ownMs + root.endedMs;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const times = await readTimes(Number(name));
    if (times?.parent === pid) sumMs += times.ownMs;
  }
  return sumMs;
}

/** Of one process alone, so far; null where there is no such process, or this machine does not tell. */
export async function readOwnProcessorMs(pid: number): Promise<number | null> {
  return (await readTimes(pid))?.ownMs ?? null;
}
