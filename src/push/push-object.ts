import type { MirrorTable } from '../db/mirror/table.ts';
import type { Looked } from '../db/outbox/claimable.ts';
import { claim } from './claim.ts';
import type { Answers } from './echoes.ts';
import { jobLedger } from './job-ledger.ts';
import { leaseLost } from './lease-lost.ts';
import type { PushCounts, PushDeps } from './push-deps.ts';
import { createReport } from './report.ts';
import { createSettling } from './settling.ts';
import { writerOf } from './writing/writer.ts';

/** A write is given up after this long; the lease has to outlast it (invariant 9). */
export const WRITE_TIMEOUT_MS = 6_000;

/** What came of a claim. */
export interface Pushed {
  readonly counts: PushCounts;
  /** When the last of it was sent, by `PushDeps.nowMs`: what came of it was written down after that. */
  readonly sentAtMs: number;
}

/**
 * Claims what is due of one object and was looked at, sends and settles it.
 *
 * @returns null where nothing was due.
 *
 * @throws SyncError `lease-lost` where this process no longer leads; `halt` errors of the CRM.
 */
export async function pushObject(
  deps: PushDeps,
  table: MirrorTable,
  {
    looked,
    echoes,
    signal,
  }: {
    readonly looked: Looked | null;
    /** Told of every answer. */
    readonly echoes: Pick<Answers, 'note'>;
    readonly signal: AbortSignal;
  },
): Promise<Pushed | null> {
  const { remote, lease } = deps;
  const epoch = lease.epoch;
  if (epoch === null) throw leaseLost();
  const claimed = await claim(deps, table, { epoch, looked });
  if (!claimed) return null;
  // Of how often its object could not be sent a record knows nothing.
  const inTrouble = deps.trouble.stands(table.object);
  const outgoing = inTrouble
    ? claimed.outgoing.map((change) => ({ ...change, attempts: 1 }))
    : claimed.outgoing;
  const inFlight = delayedAbort(signal, WRITE_TIMEOUT_MS);
  const round = { epoch, readAt: claimed.readAt, signal: inFlight.signal };
  const { report, counts } = createReport(deps, table, round);
  const settling = createSettling(report);
  const mayStart = () =>
    !signal.aborted && lease.epoch === epoch && lease.remainingMs() > WRITE_TIMEOUT_MS;
  try {
    const call = {
      priority: 'push',
      signal: inFlight.signal,
      timeoutMs: WRITE_TIMEOUT_MS,
      claim: {},
    } as const;
    const write = writerOf(remote.capabilitiesOf(table.object).writing);
    const ledger = jobLedger(deps, table, epoch);
    const sending = { remote, nowMs: deps.nowMs, mayStart, ledger };
    let sentAtMs: number;
    try {
      await write(sending, table.schema, outgoing, {
        ...call,
        report: async (sent) => {
          echoes.note(sent);
          await settling.report(sent);
        },
      });
    } finally {
      sentAtMs = deps.nowMs();
      await settling.drained();
    }
    return { counts, sentAtMs };
  } finally {
    inFlight.release();
  }
}

/** What is under way when we are told to stop may come to its end, so that its fate is known. */
export function delayedAbort(
  signal: AbortSignal,
  graceMs: number,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => controller.abort(signal.reason), graceMs);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
