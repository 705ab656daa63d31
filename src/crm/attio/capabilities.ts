import type { Capabilities } from '../../domain/capabilities.ts';

/** Of every object: custom ones are like those that come with the app. */
export const CAPABILITIES: Capabilities = {
  changes: { kind: 'full-scan', by: 'created' },
  // The newest value's time, which goes back when that value is cleared.
  versions: 'read',
  // Queries read a replica.
  lateMs: 30_000,
  deletions: { kind: 'scan', proof: 'read' },
  writing: { kind: 'single' },
  creating: { kind: 'upsert' },
  fieldTimes: 'values',
  removal: 'delete',
};
