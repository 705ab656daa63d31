import { type ReadOptions, startReading } from '../conflicts/read-object.ts';
import { retryAside } from '../conflicts/retry-aside.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { loadCursor } from '../db/position/cursor.ts';
import { readAside } from '../db/rows/set-aside.ts';
import { inTurn, type PullDeps } from './pull-object.ts';

/**
 * Tries again what is due of what was put aside, and reads no list for it. Takes turns with whoever reads
 * the object.
 *
 * @returns whether something is due still: somebody holds its row.
 */
export async function retryHeld(
  deps: PullDeps,
  table: MirrorTable,
  options: ReadOptions,
): Promise<boolean> {
  const reading = startReading(await loadCursor(deps.db, table.object));
  await inTurn(deps, reading, options, () => retryAside(deps, table, reading, options));
  return (await readAside(deps.db, table.object, { limit: 1 })).length > 0;
}
