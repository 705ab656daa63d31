import type { RemoteRecord } from './record.ts';

/** Whether records carry `_updated_at` from birth, or only from their first edit on. */
export type Stamping = 'unknown' | 'always' | 'after_edit';

/** Where so many in a row have it, none of them can be waiting for its first edit. */
const MANY_RECORDS = 20;

/**
 * Whether this server gives records `_updated_at` from birth: told by a record that was never
 * edited, or by many that all have it. The records are those of a walk by creation: one by
 * update shows none without. Until there is evidence new records are looked for by their creation
 * as well; a single one without `_updated_at` settles the question for good.
 */
export function judgeStamping(known: Stamping, records: readonly RemoteRecord[]): Stamping {
  if (known === 'after_edit') return known;
  if (records.some(({ updatedAt }) => updatedAt === null)) return 'after_edit';
  if (known === 'always' || records.length >= MANY_RECORDS) return 'always';
  const stampedAtBirth = records.some(({ createdAt, updatedAt }) => createdAt === updatedAt);
  return stampedAtBirth ? 'always' : 'unknown';
}
