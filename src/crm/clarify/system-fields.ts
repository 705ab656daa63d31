/**
 * What Clarify keeps about every record, under names that no other field has. A field that only
 * looks like one of them (`_synced_at`, `_score`) is a field.
 */
export const SYSTEM_FIELDS: ReadonlySet<string> = new Set([
  '_id',
  '_created_at',
  '_updated_at',
  '_created_by',
  '_updated_by',
  '_merged_ids',
  '_deleted_at',
]);
