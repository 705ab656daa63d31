import { crmMinusDatabaseMs } from '../conflicts/clocks.ts';
import { withinLockTimeout } from '../db/connection/database.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { countKnown } from '../db/reconcile/rows.ts';
import { readReconcileState } from '../db/reconcile/state.ts';
import { goneReason } from '../domain/capabilities.ts';
import { isMassDelete } from '../domain/mass-delete.ts';
import { OVERLAP_MS, parseInstant } from '../domain/walk/instant.ts';
import { ALL_TIME } from './all-time.ts';
import { confirmSuspects, takeForGone } from './confirm.ts';
import type { Pass } from './pass.ts';
import { takeAway } from './take-away.ts';

/** More would go than goes without a person's word, or the key has changed: `--approve`. */
export const MASS_DELETE = 'reconcile-mass-delete';
/** Nothing of the object can be seen, so that no 404 is to be believed: `--approve`. */
export const NO_WITNESS = 'reconcile-no-witness';
/** Rows that no list showed answer by their id, or are refused to this key: the list is not whole. */
const UNCONFIRMED = 'reconcile-unconfirmed';
/** Rows that somebody held. */
const HELD = 'reconcile-held';

/**
 * Finds out what became of the suspects of a pass, and acts on what is proven.
 *
 * @returns why something is left; null where nothing is.
 */
export async function settleSuspects(pass: Pass): Promise<string | null> {
  if (pass.suspects.size === 0) return null;
  const { deps, table, options, counts } = pass;
  const askedAt = await readDatabaseTime(deps.db);
  const state = await readReconcileState(deps.db, table.object);
  const { all: rows } = await countKnown(withinLockTimeout(deps.db), table, ALL_TIME);
  const isTooMuch = (gone: number) =>
    !options.approve && isMassDelete(options.massDelete, counts.deleted + gone, rows);
  const { deletions, removal } = deps.remote.capabilitiesOf(table.object);
  const isProven = deletions.kind === 'scan' && deletions.proof === 'scan';
  const found = isProven ? await takeForGone(pass) : await confirmSuspects(pass, isTooMuch);

  const keyChanged = state?.reconciledKey != null && state.reconciledKey !== options.key;
  const isTold = !options.approve && (isTooMuch(found.gone.length) || keyChanged);
  const isBlind = !options.approve && !found.witnessed;
  const mayRemove = !isTold && !isBlind;
  // With the feed read whole, a record that it does not name was not deleted: it went out of sight.
  const hasFeed = deletions.kind === 'feed' && state !== null;
  const isFed = hasFeed && !state.deletionsAbsent && !state.due;
  const reason = isFed && removal === 'delete' ? 'not_visible' : goneReason(removal);
  const deferredBefore = counts.deferred;
  await takeAway(pass, found, { askedAt, reason, mayRemove });

  const fresh = (parseInstant(askedAt) ?? 0) + crmMinusDatabaseMs(deps) - OVERLAP_MS;
  const unlisted = found.alive.filter(({ createdAt }) => (parseInstant(createdAt) ?? 0) < fresh);
  counts.unconfirmed += unlisted.length + found.refused;
  pass.suspects.clear();
  if (!mayRemove && found.gone.length > 0) {
    counts.waiting += found.gone.length + found.unasked;
    return isBlind && !isTooMuch(found.gone.length) ? NO_WITNESS : MASS_DELETE;
  }
  if (unlisted.length + found.refused + found.unasked > 0) return UNCONFIRMED;
  return counts.deferred > deferredBefore ? HELD : null;
}
