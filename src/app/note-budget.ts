import { noteBudgets } from '../db/budget.ts';
import { noteDue } from '../db/sweep-state.ts';
import { SHARE_OF_INTERVAL } from '../domain/sweep-plan.ts';
import type { Session } from './session.ts';
import { intervalOf } from './sweep-all.ts';

/**
 * Writes down what is left of the CRM's budgets, and when everything of an object is read next that is
 * read again and again: for `status`, which asks nobody but the database.
 */
export async function noteBudget(session: Session): Promise<void> {
  const { db, remote, tables, traffic } = session;
  const budgets = traffic.budgets?.() ?? [];
  const due = tables.map(({ object }) => {
    const isScanned = remote.capabilitiesOf(object).changes.kind === 'full-scan';
    return { object, afterMs: isScanned ? intervalOf(session, object) * SHARE_OF_INTERVAL : null };
  });
  await noteBudgets(db, budgets);
  await noteDue(db, due);
}
