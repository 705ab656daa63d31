import type { Capabilities } from '../../domain/capabilities.ts';

/** Of every object: custom ones are like those that come with the app. */
export const CAPABILITIES: Capabilities = {
  changes: { kind: 'ordered-filter' },
  versions: 'stamped',
  deletions: { kind: 'feed', days: 30 },
  writing: { kind: 'bulk' },
  creating: { kind: 'upsert' },
  fieldTimes: 'feed',
  removal: 'delete',
};
