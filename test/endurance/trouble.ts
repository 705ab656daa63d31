import type { Fault } from '../../src/emulator/kernel/faults.ts';

/** Everything that can go wrong with a request; each hits this share of all requests. */
export function everyTrouble(share: number): readonly Fault[] {
  const faults: readonly Fault[] = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, applied: true },
    { kind: 'status', status: 429, retryAfter: 1 },
    { kind: 'status', status: 429, retryAfter: 1, retryAfterForm: 'date' },
    { kind: 'html', status: 502 },
    { kind: 'html', status: 504, applied: true },
    { kind: 'empty', status: 200, applied: true },
    { kind: 'reset-before-write' },
    { kind: 'reset-after-write' },
    { kind: 'truncated' },
    { kind: 'malformed' },
    // Not while it starts: a read of the schema is waited for half a minute.
    { kind: 'timeout', applied: true, path: '/objects/' },
    { kind: 'timeout', applied: false, path: '/objects/' },
    { kind: 'slow', ms: 400 },
  ];
  return faults.map((fault) => ({ ...fault, probability: share }));
}
