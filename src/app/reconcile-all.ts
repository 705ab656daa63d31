import { createHash } from 'node:crypto';
import type { ReadResult } from '../conflicts/read-object.ts';
import { ownViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { readMissing } from '../db/position/scan.ts';
import { readReconcileState } from '../db/reconcile/state.ts';
import { wholeReadingOf } from '../domain/capabilities.ts';
import { readWhole } from '../pull/read-whole.ts';
import type { ReconcileOptions } from '../reconcile/pass.ts';
import { type ReconcileResult, reconcileObject } from '../reconcile/reconcile-object.ts';
import { settleMissing } from '../reconcile/settle-missing.ts';
import { readAccount } from './open-remote.ts';
import { eachObject, loggedRun, type ObjectRun, pullOne, type RunOptions } from './pull-all.ts';
import type { Session } from './session.ts';

export interface ReconcileRunOptions extends RunOptions {
  /** Read every record and compare every field. */
  readonly deep?: boolean | undefined;
  /** Let equal totals pass for agreement. */
  readonly quick?: boolean | undefined;
  /** A person has said that what is proven to be gone may go. */
  readonly approve?: boolean | undefined;
}

/** Why a comparison is not complete, and what to do next. */
type Explanation = readonly [message: string, hint: string];

const explanations = (title: string): Readonly<Record<string, Explanation>> => ({
  'reconcile-mass-delete': [
    'more rows have lost their record than may go without a word, or the key has changed',
    `look at ${title}; if these records are gone, run \`clarify-sync reconcile OBJECT --approve\``,
  ],
  'reconcile-no-witness': [
    'no record of it is to be seen, so nothing tells a deletion from a key that lost sight',
    `look at ${title}; if all of them are gone, run \`clarify-sync reconcile OBJECT --approve\``,
  ],
  'reconcile-unconfirmed': [
    'rows that no list shows answer by their id, or are refused to this key; they were kept',
    'check what the key may see',
  ],
  'reconcile-held': [
    'somebody holds rows whose record is gone',
    'run `clarify-sync reconcile OBJECT` once they are free',
  ],
  'undated-records': [
    'records that are known came without a readable `_updated_at`; their values were compared and taken over',
    `run \`clarify-sync reconcile OBJECT\` again; if it stays, report it to ${title}`,
  ],
  'reconcile-unsettled': [
    'both sides went on changing',
    'run `clarify-sync reconcile OBJECT` again at a quieter time',
  ],
});

/**
 * Compares objects with the CRM and repairs what differs; each is pulled first. Links may change
 * without a word, and no count tells: an object whose link tables are its own is read whole.
 */
export async function reconcileAll(
  session: Session,
  options: ReconcileRunOptions,
): Promise<readonly ObjectRun[]> {
  return await eachObject(session, options, async (table, signal) => {
    const quiet = { ...options, signal, onProgress: undefined };
    const pulled = await pullOne(session, table, quiet);
    // What was not read for the first time yet has nothing to be compared with.
    const isPartial = pulled.kind === 'backfill' && pulled.state !== 'ok';
    if (isPartial || pulled.state === 'failed' || pulled.error?.code === 'object-unavailable') {
      return { ...pulled, kind: 'reconcile' };
    }
    const ownsLinks = ownViews(session.links, table.object).length > 0;
    const deep = options.deep === true || ownsLinks;
    return await reconcileOne(session, table, { ...options, signal, deep });
  });
}

/** Compares one object that was pulled, and logs the run. */
export async function reconcileOne(
  session: Session,
  table: MirrorTable,
  options: ReconcileRunOptions,
): Promise<ObjectRun> {
  const { deep, quick, approve } = options;
  const { massDelete } = session.config;
  const key = await keyFingerprint(session);
  const run = await loggedRun(session, table, 'reconcile', options, async (reading) => {
    const how = { ...reading, deep, quick, approve, massDelete, key };
    if (!readsWhole(session, table.object)) return await reconcileObject(session, table, how);
    return await compareWhole(session, table, how);
  });
  return explained(session, run);
}

/** Neither counts nor the order of creation tell where both sides differ: everything is read. */
function readsWhole({ remote }: Session, object: string): boolean {
  const capabilities = remote.capabilitiesOf(object);
  return capabilities.changes.kind === 'full-scan' || wholeReadingOf(capabilities) === 'position';
}

async function compareWhole(
  session: Session,
  table: MirrorTable,
  options: ReconcileOptions,
): Promise<ReadResult | ReconcileResult> {
  const whole = await readWhole(session, table, options);
  const { deletions } = session.remote.capabilitiesOf(table.object);
  const { startedAt, counts } = whole;
  if (whole.state !== 'ok' || startedAt === null || deletions.kind !== 'scan') return whole;
  const settled = await settleMissing(session, table, { ...options, startedAt });
  const { requests, read, inserted: missing, updated: differed, linked, unlinked } = counts;
  const found = { requests, read, missing, differed, linked, unlinked };
  const added = { ...settled.counts };
  for (const [name, count] of Object.entries(found)) {
    if (isCount(added, name)) added[name] += count;
  }
  return { ...settled, counts: added };
}

function isCount<T extends object>(counts: T, name: PropertyKey): name is keyof T {
  return name in counts;
}

/** After a complete reading: what it did not show is found out about, where that tells anything. */
export async function settleScanned(
  session: Session,
  table: MirrorTable,
  options: RunOptions & { readonly startedAt: string | null; readonly approve?: boolean },
): Promise<ObjectRun | null> {
  const { object } = table;
  const { startedAt } = options;
  if (session.remote.capabilitiesOf(object).deletions.kind !== 'scan') return null;
  if ((await readMissing(session.db, object, { rounds: 1, limit: 1 })).length === 0) return null;
  const { massDelete } = session.config;
  const key = await keyFingerprint(session);
  const run = await loggedRun(session, table, 'reconcile', options, async (reading) => {
    const since = startedAt ?? (await readDatabaseTime(session.db));
    return await settleMissing(session, table, { ...reading, massDelete, key, startedAt: since });
  });
  return explained(session, run);
}

function explained({ remote }: Session, run: ObjectRun): ObjectRun {
  if (run.error === null) return run;
  const explanation = explanations(remote.title)[run.error.code];
  if (explanation === undefined) return run;
  const [message, next] = explanation;
  const hint = next.replace('OBJECT', run.object);
  return { ...run, error: { ...run.error, message: `${run.object}: ${message}`, hint } };
}

/**
 * A pull, and a comparison where no feed tells of deletions, or the feed may have dropped some
 * before they were read. One more request where nothing was deleted.
 */
export async function withDeletions(
  session: Session,
  pulled: ObjectRun,
  options: RunOptions,
): Promise<ObjectRun> {
  const table = session.tables.find(({ object }) => object === pulled.object);
  if (pulled.state !== 'ok' || table === undefined) return pulled;
  const { changes, deletions } = session.remote.capabilitiesOf(pulled.object);
  const state = await readReconcileState(session.db, pulled.object);
  const isTold = deletions.kind === 'feed' && !state?.deletionsAbsent && !state?.due;
  if (state === null || isTold) return pulled;
  // Everything was read just now.
  const isRead =
    changes.kind === 'full-scan' ||
    (pulled.kind === 'backfill' && changes.kind !== 'ordered-filter' && changes.by === 'position');
  const compared = isRead
    ? await settleScanned(session, table, { ...options, startedAt: null })
    : await reconcileOne(session, table, { ...options, quick: true });
  if (compared === null) return pulled;
  const { requests = 0, read = 0, missing = 0, differed = 0 } = compared.counts;
  const { deleted = 0, merged = 0, waiting = 0 } = compared.counts;
  const changed = {
    requests,
    read,
    inserted: missing,
    updated: differed,
    removed: deleted + merged,
    waiting,
  };
  const counts = { ...pulled.counts };
  for (const [name, count] of Object.entries(changed)) counts[name] = (counts[name] ?? 0) + count;
  return { ...pulled, counts, state: compared.state, error: compared.error };
}

/** Tells two keys apart, and tells nothing of either. */
async function keyFingerprint({ config, installation }: Session): Promise<string> {
  const text = `${installation.id} ${await readAccount(config)}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
