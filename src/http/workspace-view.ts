import type { FastifyRequest } from 'fastify';
import { readStaleViews } from '../db/access/dependants.ts';
import { listConflicts } from '../db/outbox/conflict-review.ts';
import { listEntries } from '../db/outbox/review.ts';
import { readAsideCauses } from '../db/rows/aside-review.ts';
import { readActivity, readMoves } from '../db/service/activity.ts';
import type { PageFacts } from './page/page.ts';
import { seriesStart, toSeries } from './page/series.ts';
import { createSnapshot, remembered, type Snapshot } from './snapshot.ts';
import type { StatusSource, WorkspaceSource } from './status-source.ts';

/** Six hours in stretches of five minutes. */
const BUCKET_SECONDS = 300;
const BUCKETS = 72;
const MOST_DECISIONS = 50;
const MOST_MOVES = 40;

export type Shown = Omit<PageFacts, 'formToken' | 'notice' | 'base' | 'member'>;

/** One workspace as its pages need it. */
export interface WorkspaceView {
  readonly source: StatusSource;
  /** The same, in a fleet; null without one. */
  readonly member: WorkspaceSource | null;
  /** Where its pages are: `/`, or `/w/acme/`. */
  readonly base: string;
  readonly snapshot: Snapshot;
  /** What the page shows, shared by everyone who has it open. */
  show(): Promise<Shown>;
  /** Read anew: whoever has just decided something wants to see it done. */
  showNow(): Promise<Shown>;
}

/** Which workspace an address is about; null where it is none of ours. */
export type FindView = (request: FastifyRequest) => WorkspaceView | null;

export function createView(
  source: StatusSource,
  { base, member }: Pick<WorkspaceView, 'base' | 'member'>,
): WorkspaceView {
  const snapshot = createSnapshot(source);
  const showNow = () => readFacts(source, snapshot);
  const show = remembered(showNow, { atLeastMs: 250, times: 4 });
  return { source, member, base, snapshot, show, showNow };
}

async function readFacts(source: StatusSource, snapshot: Snapshot): Promise<Shown> {
  const { db } = source;
  const nowMs = Date.now();
  const window = { nowSeconds: nowMs / 1_000, bucketSeconds: BUCKET_SECONDS, buckets: BUCKETS };
  const [objects, beside, lease, activity, moves, open, parked, staleViews, aside] =
    await Promise.all([
      snapshot.standing(),
      snapshot.beside(),
      snapshot.lease(),
      readActivity(db, { sinceSeconds: seriesStart(window), bucketSeconds: BUCKET_SECONDS }),
      readMoves(db, MOST_MOVES),
      listConflicts(db, { openOnly: true, limit: MOST_DECISIONS }),
      listEntries(db, { states: ['parked'], limit: MOST_DECISIONS }),
      readStaleViews(db),
      readAsideCauses(db),
    ]);
  return {
    staleViews: staleViews.map(({ what }) => what),
    workspace: source.workspace,
    crm: source.crm,
    version: source.version,
    access: source.access,
    push: source.push,
    leads: source.leads(),
    lease,
    objects,
    nextRun: (object) => source.nextRun(object),
    endpoints: source.endpoints(),
    series: toSeries(activity, window),
    bucketSeconds: BUCKET_SECONDS,
    moves,
    waiting: {
      conflicts: open.conflicts,
      openConflicts: open.total,
      parked: parked.entries,
      parkedTotal: parked.total,
    },
    aside: aside.slice(0, MOST_DECISIONS),
    beside,
    nowMs,
  };
}
