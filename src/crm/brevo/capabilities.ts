import type { Capabilities } from '../../domain/capabilities.ts';
import type { Plan } from './budget.ts';
import type { Declared } from './declared.ts';
import { EXTERNAL_ID } from './declared.ts';

export const CONTACT_CAPABILITIES: Capabilities = {
  changes: { kind: 'unordered-filter', by: 'position' },
  versions: 'stamped',
  deletions: { kind: 'scan', proof: 'read' },
  writing: { kind: 'single', dropsSilently: true },
  creating: { kind: 'lookup', field: 'email' },
  fieldTimes: 'none',
  removal: 'delete',
};

/** Of companies and of deals, which share a budget with everything but contacts. */
export function crmCapabilities(plan: Plan): Capabilities {
  return {
    ...CONTACT_CAPABILITIES,
    changes: { kind: 'unordered-filter', by: 'position', everyMs: plan.changesEveryMs(2) },
    creating: { kind: 'created-since' },
  };
}

/** A job ends within seconds, mostly, and asking costs as much as a job. */
const FIRST_POLL_MS = 5_000;
/** What a job has done is taken to show within this. */
const SETTLE_MS = 30_000;
/** One whose ticket got lost has ended by then. */
const LONGEST_MS = 3_600_000;

export function customCapabilities(
  plan: Plan,
  { pages, declared }: { readonly pages: number; readonly declared: ReadonlyMap<string, Declared> },
): Capabilities {
  const everyMs = plan.scanEveryMs({ requests: pages, objects: declared.size });
  return {
    changes: { kind: 'full-scan', by: 'position', everyMs },
    versions: 'stamped',
    deletions: { kind: 'scan', proof: 'scan' },
    writing: {
      kind: 'job',
      settleMs: SETTLE_MS,
      firstPollMs: FIRST_POLL_MS,
      longestMs: LONGEST_MS,
      linksInJobs: true,
      clearings: 2,
    },
    creating: { kind: 'external-id', field: EXTERNAL_ID },
    fieldTimes: 'none',
    removal: 'delete',
  };
}
