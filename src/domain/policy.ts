/** Which side wins where both changed one field: see `conflicts` in the configuration. */
export const conflictPolicies = ['newest', 'remote', 'local', 'manual'] as const;
export type ConflictPolicy = (typeof conflictPolicies)[number];

/** What becomes of a local delete: sent, held for a person, or refused at the table. */
export const deletePolicies = ['push', 'park', 'refuse'] as const;
export type DeletePolicy = (typeof deletePolicies)[number];
