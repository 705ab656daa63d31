import { readDatabaseTime } from '../../db/cursor.ts';
import { recordRun } from '../../db/run-log.ts';
import { ensureSideTable } from '../../db/side/ensure.ts';
import { dropWithRecords, noteLists, noteRecords, noteUnits } from '../../db/side/readings.ts';
import { SIDE_TABLES } from '../../db/side/tables.ts';
import type { SideTrouble } from '../../db/trouble.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { SidePart } from '../../domain/side.ts';
import { pullSide, type SideCounts } from '../../pull/pull-side.ts';
import { objectError } from '../object-error.ts';
import type { Session } from '../session.ts';

const NOTHING: SideCounts = { read: 0, failed: 0, added: 0, changed: 0, removed: 0 };

export interface SideOptions extends CallOptions {
  /** Asked between requests: what is left is done another time. */
  readonly isOver?: () => boolean;
}

/** {@link SideOptions} with what was left out. */
type Options = CallOptions & Required<Pick<SideOptions, 'isOver'>>;

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
  const attachments = createAttachments(session);
  return async ({ isOver = () => false, ...rest }) => {
    const options = { ...rest, isOver };
    for (const { run, ...part } of [...workspaceWork(session), ...attachments()]) {
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

/** Attachments of each object of which they are wanted: only records are asked that changed. */
function createAttachments(session: Session): () => readonly Work[] {
  const { db } = session;
  const read = createReading(session);
  /** By object, and the database's clock, as the times of rows are. */
  const lookedAt = new Map<string, string>();
  return () =>
    session.tables.flatMap(({ object, qualified: mirror }): Work[] => {
      const { attachmentsMs: everyMs } = session.settings(object);
      if (everyMs === false) return [];
      const run = async (options: Options) => {
        const table = await read.table('attachment');
        const startedAt = await readDatabaseTime(db);
        const unit = { part: 'attachment', object } as const;
        await noteRecords(db, unit, { mirror, since: lookedAt.get(object) ?? null });
        const removed = await db.transaction((tx) => dropWithRecords(tx, unit, { mirror, table }), {
          asWriter: true,
        });
        lookedAt.set(object, startedAt);
        return sum([await read.due({ ...unit, table, everyMs }, options), { ...NOTHING, removed }]);
      };
      return [{ object, part: 'attachments', run }];
    });
}

function createReading(session: Session) {
  const { db } = session;
  const { readSide } = session.remote;
  return {
    /** Made where there is none; whoever may read others may read it at once. */
    async table(part: SidePart): Promise<string> {
      return await ensureSideTable(db, SIDE_TABLES[part], session.grantRights);
    },
    async due(
      task: Omit<Parameters<typeof pullSide>[1], 'side'>,
      options: Options,
    ): Promise<SideCounts> {
      if (readSide === undefined) return NOTHING;
      const { isOver, ...calls } = options;
      const sided = { ...task, side: SIDE_TABLES[task.part] };
      return await pullSide({ db, readSide, isOver }, sided, calls);
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
