import { createHash } from 'node:crypto';
import { ownViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readReconcileState } from '../db/reconcile/state.ts';
import { reconcileObject } from '../reconcile/reconcile-object.ts';
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
const EXPLANATIONS: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  'reconcile-mass-delete': [
    'more rows have lost their record than may go without a word, or the key has changed',
    'look at Clarify; if these records are gone, run `clarify-sync reconcile OBJECT --approve`',
  ],
  'reconcile-no-witness': [
    'no record of it is to be seen, so nothing tells a deletion from a key that lost sight',
    'look at Clarify; if all of them are gone, run `clarify-sync reconcile OBJECT --approve`',
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
    'run `clarify-sync reconcile OBJECT` again; if it stays, report it to Clarify',
  ],
  'reconcile-unsettled': [
    'both sides went on changing',
    'run `clarify-sync reconcile OBJECT` again at a quieter time',
  ],
};

/**
 * Compares objects with Clarify and repairs what differs; each is pulled first. Links may change
 * without a word, and no count tells: an object whose link tables are its own is read whole.
 */
export async function reconcileAll(
  session: Session,
  options: ReconcileRunOptions,
): Promise<readonly ObjectRun[]> {
  return await eachObject(session, options, async (table, signal) => {
    const quiet = { ...options, signal, onProgress: undefined };
    const pulled = await pullOne(session, table, quiet);
    if (pulled.state === 'failed' || pulled.error?.code === 'object-unavailable') {
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
  const run = await loggedRun(session, table, 'reconcile', options, (reading) =>
    reconcileObject(session, table, { ...reading, deep, quick, approve, massDelete, key }),
  );
  const explanation = run.error === null ? undefined : EXPLANATIONS[run.error.code];
  if (run.error === null || explanation === undefined) return run;
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
  const state = await readReconcileState(session.db, pulled.object);
  if (state === null || (!state.deletionsAbsent && !state.due)) return pulled;
  const compared = await reconcileOne(session, table, { ...options, quick: true });
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
