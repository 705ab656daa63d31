import type { Capabilities } from '../../domain/capabilities.ts';

/** Of every object but contacts: a record is looked for by its name, which is no identity. */
export const CAPABILITIES: Capabilities = {
  changes: { kind: 'unordered-filter', by: 'position' },
  versions: 'stamped',
  // Half a minute, and the second that a request takes.
  lateMs: 31_000,
  deletions: { kind: 'scan', proof: 'read-twice' },
  writing: { kind: 'single', removals: 'bulk' },
  creating: { kind: 'lookup', field: 'name' },
  fieldTimes: 'none',
  removal: 'restorable',
};

/** They have no name, and an e-mail address that is nobody else's. */
export const OF_CONTACTS: Capabilities = { ...CAPABILITIES, creating: { kind: 'upsert' } };
