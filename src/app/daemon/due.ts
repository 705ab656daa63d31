import type { ChangeReading } from '../../domain/capabilities.ts';

/** When the service does what no setting says. */
export const DUE = {
  schemaCheck: '*/5 * * * *',
  housekeeping: '17 3 * * *',
  /** Pages of a sweep are due one by one: how often one looks decides how evenly they are spread. */
  sweeps: '*/15 * * * * *',
  /** Users are due daily; this is how soon a failure, or a change of leader, is made up for. */
  users: '*/5 * * * *',
  /** How soon entries are freed that a clock set back has put off. */
  waits: '15 * * * * *',
  recordings: '30 * * * * *',
  /** How soon the past of a record that was edited is read again. */
  activities: '40 * * * * *',
  /** How soon it is noticed that something beside the records is due. */
  sides: '45 * * * * *',
  /** What is left of budgets is written down: a scrape of `status` is no older. */
  budget: '5,20,35,50 * * * * *',
} as const;

/** {@link DUE.sweeps}, begun at a second of the minute. */
export function sweepsAt(second: number): string {
  return second % 15 === 0 ? DUE.sweeps : `${second % 15}-59/15 * * * * *`;
}

/** {@link DUE.schemaCheck}, likewise; in one of the five minutes, for it takes more than a second. */
export function schemaCheckAt(second: number): string {
  return second === 0 ? DUE.schemaCheck : `${second} ${second % 5}-59/5 * * * *`;
}

/** The part of a pause that a schedule's own unevenness may take from it. */
const EARLY_SHARE = 0.05;

/**
 * How long the budget of an object's list lets pass between two looks for changes. What failed is no
 * more often tried, also where everything is read.
 */
export function pauseOf(changes: ChangeReading, failed: boolean): number {
  const isPaced = changes.kind === 'unordered-filter' || (changes.kind === 'full-scan' && failed);
  return isPaced ? (changes.everyMs ?? 0) : 0;
}

/** Whether it is too early to look for changes again, `sinceMs` after the last time. */
export function isTooEarly(
  changes: ChangeReading,
  last: { readonly sinceMs: number; readonly failed: boolean },
): boolean {
  return last.sinceMs < pauseOf(changes, last.failed) * (1 - EARLY_SHARE);
}
