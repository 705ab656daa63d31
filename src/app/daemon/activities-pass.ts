import { loadCursor } from '../../db/cursor.ts';
import type { MirrorTable } from '../../db/mirror/table.ts';
import { recordRun } from '../../db/run-log.ts';
import type { CallOptions } from '../../domain/remote.ts';
import { noteActivities, pullActivities } from '../../pull/pull-activities.ts';
import { objectError } from '../object-error.ts';
import type { Session } from '../session.ts';

export interface ActivitiesOptions extends CallOptions {
  /** All where left out. */
  readonly objects?: readonly string[] | undefined;
  /** Asked between batches: what is left is done another time. */
  readonly isOver?: () => boolean;
}

/** Rows are looked at this often for records that changed, while feeds are read. */
const LOOK_EVERY_MS = 30_000;

/**
 * Passes over what the CRM tells of the past of records, where that is asked for: the feed of every
 * record that is new or was edited is read, a batch of each object in turn, until nothing is due. An
 * object that has not been read once yet waits for that.
 *
 * @throws, when it runs, what ends the service.
 */
export function createActivitiesPass(
  session: Session,
): (options: ActivitiesOptions) => Promise<void> {
  const { db, holder, log, remote } = session;
  /** By a clock that never jumps. */
  const lookedMs = new Map<string, number>();

  async function look(mirror: MirrorTable): Promise<void> {
    const nowMs = session.nowMs();
    const last = lookedMs.get(mirror.object) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - last < LOOK_EVERY_MS) return;
    await noteActivities(db, mirror);
    if (!Number.isFinite(last)) await session.grantRights();
    lookedMs.set(mirror.object, nowMs);
  }

  return async ({ objects, isOver = () => false, ...options }) => {
    const { readActivities } = remote;
    if (readActivities === undefined) return;
    const total = new Map<string, { read: number; failed: number; rows: number }>();
    const startedMs = session.nowMs();
    const isWanted = ({ object }: MirrorTable) =>
      session.settings(object).activities && (objects?.includes(object) ?? true);
    let busy = session.tables.filter(isWanted);
    for (const { object } of busy) lookedMs.set(object, lookedMs.get(object) ?? -Infinity);

    const batch = async (mirror: MirrorTable): Promise<boolean> => {
      const { object } = mirror;
      const part = { object, part: 'activities' } as const;
      if (session.troubles.waitMs(part) > 0) return false;
      if ((await loadCursor(db, object)).phase !== 'incremental') return false;
      try {
        await look(mirror);
        const { waiting, ...counts } = await pullActivities(
          { db, readActivities },
          mirror,
          options,
        );
        const sum = total.get(object) ?? { read: 0, failed: 0, rows: 0 };
        sum.read += counts.read;
        sum.failed += counts.failed;
        sum.rows += counts.rows;
        total.set(object, sum);
        await session.troubles.worked(part);
        return waiting;
      } catch (error) {
        await objectError(session, part, error, options.signal);
        return false;
      }
    };

    while (busy.length > 0) {
      const again: MirrorTable[] = [];
      for (const mirror of busy) {
        if (options.signal.aborted || isOver()) break;
        if (await batch(mirror)) again.push(mirror);
      }
      busy = again;
    }
    const tookMs = session.nowMs() - startedMs;
    for (const [object, counts] of total) {
      if (counts.read + counts.failed === 0) continue;
      log.info({ object, ...counts }, 'activities');
      await recordRun(db, { kind: 'activities', object, holder, counts, tookMs });
    }
  };
}
