import { codeOf, type OutboxEntry } from '../../db/outbox/review.ts';

/** What a person can do about a parked change, as one line; null where it is not parked. */
export function nextForEntry(entry: OutboxEntry, crm: string): string | null {
  const { id, state } = entry;
  if (state === 'done') {
    const isLink = entry.op === 'link' || entry.op === 'unlink';
    return isLink ? null : `\`clarify-sync outbox revert ${id}\` undoes it`;
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

/** What to do first about a list of changes; null where none of them is parked. */
export function nextForList(entries: readonly OutboxEntry[]): string | null {
  const parked = entries.filter(({ state }) => state === 'parked');
  const deletes = parked.filter((entry) => codeOf(entry) === 'mass-delete').length;
  if (deletes > 1) {
    const all = deletes === parked.length ? '`outbox approve --all`' : '`outbox approve ID…`';
    return `more deletes than may go without a word: ${all} lets them go, \`outbox discard ID…\` brings rows back`;
  }
  const [first] = parked;
  return first === undefined
    ? null
    : `see why, and what can be done, with \`clarify-sync outbox show ${first.id}\``;
}

/** What makes changes that are due leave. */
export function nextAfterRelease(push: boolean): string {
  const send = push ? 'run `clarify-sync push`' : 'set CLARIFY_SYNC_PUSH=on and push';
  return `a running service sends it; else ${send}`;
}
