import type { ConflictOfRecord } from '../db/outbox/unsettled.ts';
import type { Json } from '../domain/json.ts';

type Values = Readonly<Record<string, Json>>;

/**
 * What a record shows in the place of what was sent stands, and is on record: nothing tells whether
 * the CRM made it of that, or somebody put it there before or after.
 */
export function supplantedBy(
  lost: {
    readonly recordId: string;
    readonly remoteBy: string | null;
    /** What was sent, by field. */
    readonly local: Values;
    /** What is shown, by field. */
    readonly supplanted: Values;
    readonly baseOf: (field: string) => Json;
  },
  policyOf: (field: string) => ConflictOfRecord['policy'],
): readonly ConflictOfRecord[] {
  const { recordId, remoteBy, local, baseOf } = lost;
  return Object.entries(lost.supplanted).map(([field, remote]) => ({
    recordId,
    field,
    base: baseOf(field),
    local: local[field] ?? null,
    remote,
    remoteBy,
    policy: policyOf(field),
    resolution: 'remote',
    certain: false,
  }));
}
