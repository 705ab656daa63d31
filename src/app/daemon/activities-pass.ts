import { countWrites, readActivityStandings } from '../../db/activities/feeds.ts';
import type { MirrorTable } from '../../db/mirror/table.ts';
import { loadCursor } from '../../db/position/cursor.ts';
import { recordRun } from '../../db/service/run-log.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import { noteActivities, pullActivities } from '../../pull/pull-activities.ts';
import { NOTHING_REACHED, reachBack } from '../../pull/reach-back.ts';
import { objectError } from '../object-error.ts';
import type { ObjectProgress } from '../pull-all.ts';
import type { Session } from '../session.ts';

export interface ActivitiesOptions extends CallOptions {
  /** All where left out. */
  readonly objects?: readonly string[] | undefined;
  /** Asked between batches: what is left is done another time. */
  readonly isOver?: () => boolean;
  readonly onProgress?: ((progress: ObjectProgress) => void) | undefined;
}

/** Rows are looked at this often for records that changed, while feeds are read. */
const LOOK_EVERY_MS = 30_000;
/** And this often where no row seems to have been written: what tells that may be lost. */
const LOOK_ANYWAY_MS = 600_000;

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
  const { remote } = session;
  const looks = new Map<string, Look>();
  return async (options) => {
    const { readActivities } = remote;
    if (readActivities === undefined) return;
    const { objects, signal, isOver = () => false } = options;
    const tallies = new Map<string, Tally>();
    const startedMs = session.nowMs();
    let busy = session.tables
      .map(({ object }) => object)
      .filter((object) => session.settings(object).activities)
      .filter((object) => objects?.includes(object) ?? true);
    while (busy.length > 0) {
      const again: string[] = [];
      for (const object of busy) {
        if (signal.aborted || isOver()) break;
        const tally = tallies.get(object) ?? { read: 0, failed: 0, rows: 0, versions: 0 };
        tallies.set(object, tally);
        const batch = { object, readActivities, looks, tally };
        if (await readBatch(session, batch, options)) again.push(object);
      }
      busy = again;
    }
    await record(session, tallies, session.nowMs() - startedMs);
  };
}

interface Tally {
  read: number;
  failed: number;
  rows: number;
  /** Of the history, from before it was kept. */
  versions: number;
}

/** The last look at the rows of an object. */
interface Look {
  /** By a clock that never jumps. */
  readonly atMs: number;
  /** Rows that had been written by then. */
  readonly writes: bigint;
}

interface Batch {
  readonly object: string;
  readonly readActivities: NonNullable<Remote['readActivities']>;
  readonly looks: Map<string, Look>;
  readonly tally: Tally;
}

/** @returns whether more is due. */
async function readBatch(
  session: Session,
  { object, readActivities, looks, tally }: Batch,
  { priority, signal, onProgress }: ActivitiesOptions,
): Promise<boolean> {
  const { db, troubles } = session;
  const part = { object, part: 'activities' } as const;
  // The schema may have changed since the batch before.
  const mirror = session.tables.find((table) => table.object === object);
  if (mirror === undefined || troubles.waitMs(part) > 0) return false;
  if ((await loadCursor(db, object)).phase !== 'incremental') return false;
  try {
    await look(session, mirror, looks);
    const options = { priority, signal };
    const { waiting, ...counts } = await pullActivities({ db, readActivities }, mirror, options);
    tally.read += counts.read;
    tally.failed += counts.failed;
    tally.rows += counts.rows;
    const reached = session.settings(object).history
      ? await reachBack(db, mirror)
      : NOTHING_REACHED;
    tally.versions += reached.versions;
    await troubles.worked(part);
    if (onProgress !== undefined && counts.read > 0) onProgress(await progressOf(session, object));
    return waiting || reached.waiting;
  } catch (error) {
    await objectError(session, part, error, signal);
    return false;
  }
}

async function look(
  { db, nowMs, grantRights }: Session,
  mirror: MirrorTable,
  looks: Map<string, Look>,
): Promise<void> {
  const atMs = nowMs();
  const last = looks.get(mirror.object);
  const sinceMs = last === undefined ? Number.POSITIVE_INFINITY : atMs - last.atMs;
  if (sinceMs < LOOK_EVERY_MS) return;
  const writes = await countWrites(db, mirror);
  if (sinceMs < LOOK_ANYWAY_MS && writes === last?.writes) return;
  await noteActivities(db, mirror);
  // The first look makes the table.
  if (last === undefined) await grantRights();
  looks.set(mirror.object, { atMs, writes });
}

async function progressOf({ db }: Session, object: string): Promise<ObjectProgress> {
  const standing = (await readActivityStandings(db)).find((one) => one.object === object);
  const { records = 0, waiting = 0 } = standing ?? {};
  return { object: `${object} past`, read: records - waiting, total: records };
}

async function record(
  { db, holder, log }: Session,
  tallies: ReadonlyMap<string, Tally>,
  tookMs: number,
): Promise<void> {
  for (const [object, tally] of tallies) {
    const counts = { ...tally };
    if (counts.read + counts.failed + counts.versions === 0) continue;
    log.info({ object, ...counts }, 'activities');
    await recordRun(db, { kind: 'activities', object, holder, counts, tookMs });
  }
}
