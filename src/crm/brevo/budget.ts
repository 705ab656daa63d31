import type { EndpointStats } from '../../domain/traffic.ts';
import { createWindowAllowance } from '../wire/window-allowance.ts';

/** Every account has at least so many an hour for everything but contacts. */
const LEAST_PER_HOUR = 100;
const HOUR_MS = 3_600_000;

/** Of what is ours in an hour: what reading by itself may take, so that writing finds some. */
const SHARE = { changes: 0.25, scans: 0.35, schema: 0.05 };

/** The two budgets, by what an endpoint begins with. */
export function counterOf(endpoint: string): 'contacts' | 'everything else' {
  const [, path = ''] = endpoint.split(' ');
  return path === '/contacts' || path.startsWith('/contacts/') ? 'contacts' : 'everything else';
}

export function createCounter(name: string, percent: number) {
  // Contacts are counted by the second as well, and the headers may tell of either.
  const perSecond = (limit: number) => limit / 3_600;
  return createWindowAllowance(name === 'contacts' ? { percent, perSecond } : { percent });
}

/** How often reading is due, so that an hour in which nothing happens stays within its budget. */
export interface Plan {
  /** Of each object whose changes are listed, where there are so many. */
  changesEveryMs(objects: number): number;
  /** Of an object that takes so many requests, where there are so many. */
  scanEveryMs(object: { readonly requests: number; readonly objects: number }): number;
  /** Of so many requests. */
  schemaEveryMs(requests: number): number;
}

export function createPlan(stats: () => readonly EndpointStats[], percent: number): Plan {
  const every = (requests: number, share: number) => {
    const known = stats().find(
      ({ endpoint, limit }) => limit !== null && counterOf(endpoint) !== 'contacts',
    );
    const perHour = ((known?.limit ?? LEAST_PER_HOUR) * percent) / 100;
    return Math.ceil((Math.max(1, requests) * HOUR_MS) / Math.max(1, perHour * share));
  };
  return {
    changesEveryMs: (objects) => every(objects, SHARE.changes),
    scanEveryMs: ({ requests, objects }) => every(requests * objects, SHARE.scans),
    schemaEveryMs: (requests) => every(requests, SHARE.schema),
  };
}
