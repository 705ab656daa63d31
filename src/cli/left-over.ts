import { showPlural } from './quantity.ts';

/** What both sides do not agree on yet. */
export interface LeftOver {
  readonly pending: number;
  readonly blocked: number;
  readonly parked: number;
  readonly openConflicts: number;
  /** Rows that cannot be written. */
  readonly setAside: number;
}

/** Whether a person has to do something. */
export function needsPerson({ blocked, parked, openConflicts, setAside }: LeftOver): boolean {
  return blocked + parked + openConflicts + setAside > 0;
}

/** What is left, and the command that shows it; null where both sides agree. */
export function nextForLeftOver(left: LeftOver, push: boolean): string | null {
  const { pending, blocked, parked, openConflicts, setAside } = left;
  if (openConflicts > 0) {
    const what = showPlural(openConflicts, 'open conflict');
    return `${what}: see \`clarify-sync conflicts list\``;
  }
  if (parked > 0 || blocked > 0) {
    const parts = [
      parked > 0 ? `${showPlural(parked, 'change')} parked` : '',
      blocked > 0 ? `${showPlural(blocked, 'change')} blocked` : '',
    ].filter((part) => part !== '');
    return `${parts.join(', ')}: see \`clarify-sync outbox list\``;
  }
  if (setAside > 0) {
    return `${showPlural(setAside, 'row')} put aside: see \`clarify-sync doctor\` for what refuses them`;
  }
  if (pending === 0) return null;
  const what = `${showPlural(pending, 'change')} not sent yet`;
  return push
    ? `${what}: run \`clarify-sync push\``
    : `${what}: set CLARIFY_SYNC_PUSH=on, then run \`clarify-sync push\``;
}
