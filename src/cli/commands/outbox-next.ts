import { codeOf, type OutboxEntry } from '../../db/outbox/review.ts';
import { INTERCEPTED } from '../../domain/errors.ts';

/** Tried again, and may need a person all the same. */
function isIntercepted(entry: Pick<OutboxEntry, 'state' | 'lastError'>): boolean {
  return entry.state === 'pending' && codeOf(entry) === INTERCEPTED;
}

/** What a person can do about a change that waits for one, as one line; null where it does not. */
export function nextForEntry(entry: OutboxEntry, crm: string): string | null {
  const { id, state } = entry;
  if (state === 'done') {
    const isLink = entry.op === 'link' || entry.op === 'unlink';
    return isLink ? null : `\`clarify-sync outbox revert ${id}\` undoes it`;
  }
  if (isIntercepted(entry)) {
    return `something before ${crm}, such as a firewall, refuses it; it is tried again: if others get through, write it in other words, or have it let through`;
  }
  if (state !== 'parked') return null;
  const discard = `\`outbox discard ${id}\``;
  switch (codeOf(entry)) {
    case 'conflict-open':
      return `both sides changed it: see \`clarify-sync conflicts list\`, then \`conflicts resolve\`; ${discard} takes ${crm}'s value`;
    case 'mass-delete':
    case 'delete-needs-approval':
      return `\`clarify-sync outbox approve ${id}\` lets it go, ${discard} brings the row back`;
    case 'create-ambiguous':
      return `look for it in ${crm}: if it is there, ${discard}; if not, \`clarify-sync outbox retry ${id}\` creates it`;
    case 'identity-ambiguous':
      return `merge the records in ${crm}, or correct the row; then \`clarify-sync outbox retry ${id}\``;
    case 'copied-database':
      return `the original may have sent it: compare with ${crm}, then \`clarify-sync outbox retry ${id}\` or ${discard}`;
    default:
      return `\`clarify-sync outbox retry ${id}\` sends it again, ${discard} gives it up`;
  }
}

/** What to do first about a list of changes; null where none of them waits for a person. */
export function nextForList(entries: readonly OutboxEntry[]): string | null {
  const parked = entries.filter(({ state }) => state === 'parked');
  const deletes = parked.filter((entry) => codeOf(entry) === 'mass-delete').length;
  if (deletes > 1) {
    const all = deletes === parked.length ? '`outbox approve --all`' : '`outbox approve ID…`';
    return `more deletes than may go without a word: ${all} lets them go, \`outbox discard ID…\` brings rows back`;
  }
  const first = parked[0] ?? entries.find(isIntercepted);
  return first === undefined
    ? null
    : `see why, and what can be done, with \`clarify-sync outbox show ${first.id}\``;
}

/** What makes changes that are due leave. */
export function nextAfterRelease(push: boolean): string {
  const send = push ? 'run `clarify-sync push`' : 'set CLARIFY_SYNC_PUSH=on and push';
  return `a running service sends it; else ${send}`;
}
