import { noteDue } from '../db/position/sweep-state.ts';
import { noteBudgets } from '../db/service/budget.ts';
import { SHARE_OF_INTERVAL } from '../domain/sweep-plan.ts';
import type { Session } from './session.ts';
import { intervalOf } from './sweep-all.ts';

/**
 * Writes down what is left of the CRM's budgets, and when everything of an object is read next that is
 * read again and again: for `status`, which asks nobody but the database.
 *
 * @param told filled with those that are never read again and again: said once.
 */
export async function noteBudget(session: Session, told = new Set<string>()): Promise<void> {
  const { db, remote, tables, traffic } = session;
  const budgets = traffic.budgets?.() ?? [];
  const isScanned = (object: string) => remote.capabilitiesOf(object).changes.kind === 'full-scan';
  const due = tables
    .filter(({ object }) => !told.has(object))
    .map(({ object }) => {
      const afterMs = isScanned(object) ? intervalOf(session, object) * SHARE_OF_INTERVAL : null;
      return { object, afterMs };
    });
  await noteBudgets(db, budgets);
  await noteDue(db, due);
  for (const { object, afterMs } of due) if (afterMs === null) told.add(object);
}
