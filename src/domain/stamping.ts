import type { RemoteRecord } from './record.ts';

/** Whether records carry `_updated_at` from birth, or only from their first edit on. */
export type Stamping = 'unknown' | 'always' | 'after_edit';

/** A record whose two timestamps are this close was never edited. */
const SAME_MOMENT_MS = 1_000;

/** Where so many in a row have it, none of them can be waiting for its first edit. */
const MANY_RECORDS = 20;

/**
 * Whether this server gives records `_updated_at` from birth: told by a record that was never
 * edited, or by many that all have it. Without evidence new records are looked for by their creation as well, so that none is
 * missed; a single one without `_updated_at` settles the question for good.
 */
export function judgeStamping(known: Stamping, records: readonly RemoteRecord[]): Stamping {
  if (known === 'after_edit') return known;
  if (records.some(({ updatedAt }) => updatedAt === null)) return 'after_edit';
  if (known === 'always' || records.length >= MANY_RECORDS) return 'always';
  const stampedAtBirth = records.some(({ createdAt, updatedAt }) => {
    const gapMs = Date.parse(updatedAt ?? '') - Date.parse(createdAt ?? '');
    return Math.abs(gapMs) < SAME_MOMENT_MS;
  });
  return stampedAtBirth ? 'always' : 'unknown';
}
