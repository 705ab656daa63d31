import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryResultRow } from 'pg';
import type { Demo } from './demo.ts';

export const LONGEST_WAIT_MS = 15_000;
const LOOK_EVERY_MS = 20;

/** It did not come, for as long as we waited. */
export class NotArrived extends Error {}

/**
 * Looks until there is something to see.
 *
 * @throws NotArrived, or an AbortError.
 */
export async function until<T>(look: () => Promise<T | null>, signal: AbortSignal): Promise<T> {
  const deadlineMs = performance.now() + LONGEST_WAIT_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadlineMs) throw new NotArrived();
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** The first row a user sees, or null where there is none. */
export async function one<Row extends QueryResultRow>(
  demo: Demo,
  statement: string,
  values: readonly unknown[],
): Promise<Row | null> {
  const [row] = await demo.sql.query<Row>(statement, values);
  return row ?? null;
}
