import type { Sql } from '../../db/connection/database.ts';
import {
  readConflictsAfter,
  readNewestConflict,
  readNewestParked,
} from '../../db/service/activity.ts';
import type { ConflictNotice, ParkedNotice } from '../sync.ts';

export interface DecisionListener {
  onConflict(conflict: Omit<ConflictNotice, 'workspace'>): void;
  onParked(change: Omit<ParkedNotice, 'workspace'>): void;
}

/** Tells once of each conflict and each parked change that comes about from now on. */
export interface DecisionWatch {
  /** Looks now; calls while one is under way share one more look after it. */
  look(): Promise<void>;
}

/** Of one look: whoever has more than that to decide does not do it one by one. */
const MOST = 1_000;

export async function createDecisionWatch(
  sql: Sql,
  listener: DecisionListener,
): Promise<DecisionWatch> {
  let newest = await readNewestConflict(sql);
  let parked = new Set((await readNewestParked(sql, MOST)).map(({ id }) => id));
  let looking: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  async function lookOnce(): Promise<void> {
    for (const conflict of await readConflictsAfter(sql, newest, MOST)) {
      newest = conflict.id;
      listener.onConflict(conflict);
    }
    const found = await readNewestParked(sql, MOST);
    const before = parked;
    parked = new Set(found.map(({ id }) => id));
    for (const change of found.toReversed()) if (!before.has(change.id)) listener.onParked(change);
  }

  function begin(): Promise<void> {
    const look = lookOnce().finally(() => {
      looking = null;
    });
    looking = look;
    return look;
  }

  return {
    look() {
      if (looking === null) return begin();
      next ??= looking
        .catch(() => {})
        .then(() => {
          next = null;
          return begin();
        });
      return next;
    },
  };
}
