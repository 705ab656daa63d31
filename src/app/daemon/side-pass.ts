import { findActivityColumns } from '../../db/activities/table.ts';
import type { MirrorTable } from '../../db/mirror/table.ts';
import { loadCursor, readDatabaseTime } from '../../db/position/cursor.ts';
import { recordRun } from '../../db/service/run-log.ts';
import type { SideTrouble } from '../../db/service/trouble.ts';
import { ensureSideTable } from '../../db/side/ensure.ts';
import {
  dropWithRecords,
  noteComments,
  noteLists,
  noteRecords,
  noteUnits,
  readCommentIds,
} from '../../db/side/readings.ts';
import { SIDE_TABLES } from '../../db/side/tables.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { OfRecord, SidePart, SideUnit } from '../../domain/side.ts';
import { pullSide, type SideCounts, type SideDeps, type SideTask } from '../../pull/pull-side.ts';
import { objectError } from '../object-error.ts';
import type { ObjectProgress } from '../pull-all.ts';
import type { Session } from '../session.ts';

const NOTHING: SideCounts = { read: 0, failed: 0, added: 0, changed: 0, removed: 0 };

/** A row that was rewritten without being written anew, after a merge, is noticed this soon. */
const WHOLE_EVERY_MS = 3_600_000;

export interface SideOptions extends CallOptions {
  /** What is of their records, and nothing else; all where left out. */
  readonly objects?: readonly string[] | undefined;
  /** Asked between requests: what is left is done another time. */
  readonly isOver?: () => boolean;
  readonly onProgress?: ((progress: ObjectProgress) => void) | undefined;
}

/** {@link SideOptions} with what was left out. */
type Options = CallOptions & Required<Pick<SideOptions, 'isOver'>> & Pick<SideDeps, 'onRead'>;

interface Work {
  readonly object: string;
  readonly part: SideTrouble;
  run(options: Options): Promise<SideCounts>;
}

/**
 * Passes over what the workspace has beside its records, as far as the configuration wants it: each
 * reads what is due. One part's trouble is that part's alone.
 *
 * @throws, when it runs, what ends the service.
 */
export function createSidePass(session: Session): (options: SideOptions) => Promise<void> {
  const { db, holder, log } = session;
  const ofRecords = createRecordWork(session);
  return async ({ isOver = () => false, objects, onProgress, ...rest }) => {
    const all = [
      ...(objects === undefined ? workspaceWork(session) : []),
      ...ofRecords().filter(({ object }) => objects?.includes(object) ?? true),
    ];
    for (const { run, ...part } of all) {
      const options = { ...rest, isOver, onRead: reported(part, onProgress) };
      if (isOver() || options.signal.aborted) return;
      if (session.troubles.waitMs(part) > 0) continue;
      const startedMs = session.nowMs();
      try {
        const counts = await run(options);
        if (counts.read > 0) await session.troubles.worked(part);
        if (Object.values(counts).every((count) => count === 0)) continue;
        log.info({ object: part.object, ...counts }, part.part);
        const tookMs = session.nowMs() - startedMs;
        await recordRun(db, {
          kind: part.part,
          object: null,
          holder,
          counts: { ...counts },
          tookMs,
        });
      } catch (error) {
        await objectError(session, part, error, options.signal);
      }
    }
  };
}

function reported(
  { object, part }: Pick<Work, 'object' | 'part'>,
  told: SideOptions['onProgress'],
) {
  const name = part === 'attachments' || part === 'comments' ? `${object} ${part}` : part;
  return ({ read }: SideCounts) => told?.({ object: name, read, total: null });
}

/** What is of no object. */
function workspaceWork(session: Session): readonly Work[] {
  const { db, config } = session;
  const { settings, lists, campaigns, everyMs } = config.tables;
  const read = createReading(session);
  const whole = async (part: SidePart, keys: readonly string[], options: Options) => {
    const table = await read.table(part);
    await noteUnits(db, part, keys);
    return await read.due({ part, object: null, table, everyMs }, options);
  };
  const work: Work[] = [];
  if (settings) {
    work.push({
      object: 'setting',
      part: 'settings',
      run: (options) => whole('setting', [''], options),
    });
  }
  if (lists) {
    work.push({
      object: 'list',
      part: 'lists',
      async run(options) {
        const found = await whole('list', [''], options);
        const named = { lists: await read.table('list'), members: await read.table('list_member') };
        const gone = await db.transaction((tx) => noteLists(tx, named), { asWriter: true });
        const task = { part: 'list_member', object: null, table: named.members, everyMs } as const;
        const members = await read.due(task, options);
        return sum([found, members, { ...NOTHING, removed: gone }]);
      },
    });
  }
  if (campaigns.length > 0) {
    work.push({
      object: 'campaign_recipient',
      part: 'campaigns',
      run: (options) => whole('campaign_recipient', campaigns, options),
    });
  }
  return work;
}

/** What is of records, of each object of which it is wanted: only those are asked for that changed. */
function createRecordWork(session: Session): () => readonly Work[] {
  const { db } = session;
  const read = createReading(session);
  /** By part and object, and the database's clock, as the times of rows are. */
  const looks = new Map<string, { readonly at: string; readonly wholeMs: number }>();

  /** Records come first, and what is beside them once all are there. */
  const isRead = async (object: string) => (await loadCursor(db, object)).phase === 'incremental';

  /** Notes what is due by what was written since the last time, now and then by all there is. */
  const look = async (
    { part, object }: { readonly part: OfRecord; readonly object: string },
    note: (since: string | null) => Promise<void>,
  ) => {
    const at = await readDatabaseTime(db);
    const last = looks.get(`${part} ${object}`);
    const nowMs = session.nowMs();
    const isWhole = last === undefined || nowMs - last.wholeMs > WHOLE_EVERY_MS;
    await note(isWhole ? null : last.at);
    looks.set(`${part} ${object}`, { at, wholeMs: isWhole ? nowMs : last.wholeMs });
  };

  const finish = async (
    task: { readonly part: OfRecord; readonly object: string; readonly everyMs: number | null },
    { mirror, idsOf }: { readonly mirror: string; readonly idsOf?: SideTask['idsOf'] },
    options: Options,
  ) => {
    const table = await read.table(task.part);
    const removed = await db.transaction((tx) => dropWithRecords(tx, task, { mirror, table }), {
      asWriter: true,
    });
    const ids = idsOf === undefined ? {} : { idsOf };
    return sum([await read.due({ ...task, table, ...ids }, options), { ...NOTHING, removed }]);
  };

  const attachments = ({ object, qualified: mirror }: MirrorTable): Work[] => {
    const { attachmentsMs: everyMs } = session.settings(object);
    if (everyMs === false) return [];
    const task = { part: 'attachment', object, everyMs } as const;
    const run = async (options: Options) => {
      if (!(await isRead(object))) return NOTHING;
      await look(task, (since) => noteRecords(db, task, { mirror, since }));
      return await finish(task, { mirror }, options);
    };
    return [{ object, part: 'attachments', run }];
  };

  const comments = ({ object, qualified: mirror }: MirrorTable): Work[] => {
    const { commentsMs: everyMs } = session.settings(object);
    if (everyMs === false) return [];
    const task = { part: 'comment', object, everyMs } as const;
    const run = async (options: Options) => {
      const past = await findActivityColumns(db, object);
      // Not looked at yet, or to be mended first.
      if (!past?.isWhole || !(await isRead(object))) return NOTHING;
      const activity = past.table;
      await look(task, (since) => noteComments(db, object, { mirror, activity, since }));
      const kept = { activity, table: await read.table('comment') };
      const idsOf = (unit: SideUnit) => readCommentIds(db, kept, unit);
      return await finish(task, { mirror, idsOf }, options);
    };
    return [{ object, part: 'comments', run }];
  };

  return () => session.tables.flatMap((table) => [...attachments(table), ...comments(table)]);
}

function createReading(session: Session) {
  const { db } = session;
  const { readSide } = session.remote;
  return {
    /** Made where there is none; whoever may read others may read it at once. */
    async table(part: SidePart): Promise<string> {
      return await ensureSideTable(db, SIDE_TABLES[part], session.grantRights);
    },
    async due(task: Omit<SideTask, 'side'>, options: Options): Promise<SideCounts> {
      if (readSide === undefined) return NOTHING;
      const { isOver, onRead, ...calls } = options;
      const sided = { ...task, side: SIDE_TABLES[task.part] };
      return await pullSide({ db, readSide, isOver, onRead }, sided, calls);
    },
  };
}

function sum(all: readonly SideCounts[]): SideCounts {
  return all.reduce((one, other) => ({
    read: one.read + other.read,
    failed: one.failed + other.failed,
    added: one.added + other.added,
    changed: one.changed + other.changed,
    removed: one.removed + other.removed,
  }));
}
