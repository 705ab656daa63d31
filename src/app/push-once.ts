import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadOptions } from '../conflicts/read-object.ts';
import { notify } from '../db/connection/listener.ts';
import { readLease } from '../db/lease/lease.ts';
import { LeaseKeeper } from '../db/lease/lease-keeper.ts';
import { takeUpAgain } from '../db/outbox/due.ts';
import { countUnsettled, retryRefused } from '../db/outbox/outbox.ts';
import { readTroubles } from '../db/service/trouble.ts';
import { claimSize } from '../domain/capabilities.ts';
import { SyncError } from '../domain/errors.ts';
import { refreshBeforePush, takeInChanges } from '../pull/refresh.ts';
import { runPush } from '../push/push.ts';
import type { PushDeps, PushLease } from '../push/push-deps.ts';
import type { PushResult } from '../push/push-line.ts';
import { sendComments } from './daemon/comment-worker.ts';
import { objectError } from './object-error.ts';
import type { Session } from './session.ts';

export interface PushOutcome extends Omit<PushResult, 'waitMs'> {
  /** Who leads and does the sending; null where this process did. */
  readonly delegatedTo: string | null;
  /** Objects that could not be sent, and why; what waits of them is tried again. */
  readonly errors: readonly PushError[];
}

export interface PushError {
  readonly object: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

export interface PushOptions {
  readonly objects?: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

/** What is settling (a create that may have arrived, a short retry) is waited for this long. */
const SETTLING_MS = 60_000;
const POLL_MS = 250;
const OUTCOMES = ['delivered', 'refused', 'gone', 'failed', 'unclear'] as const;
const NOTHING = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };

/** What the push feature needs of a session. */
export function pushDeps(session: Session, lease: PushLease): PushDeps {
  return {
    db: session.db,
    remote: session.remote,
    tables: session.tables,
    links: session.links,
    policyOf: session.policyOf,
    identityOf: (table) => table.schema.identity,
    creatingOf: (object) => session.remote.capabilitiesOf(object).creating,
    removalOf: (object) => session.remote.capabilitiesOf(object).removal,
    claimSizeOf: (object) => claimSize(session.remote.capabilitiesOf(object).writing),
    massDelete: session.config.massDelete,
    lease,
    refresh: (table, since, signal) =>
      inTime(session, signal, (reading) =>
        refreshBeforePush(session, table, { ...reading, ...since }),
      ),
    takeInChanges: (table, signal) =>
      inTime(session, signal, (reading) => takeInChanges(session, table, reading)),
    random: Math.random,
    nowMs: session.nowMs,
    trouble: pushTrouble(session),
  };
}

/** Less patient than a pull: entries wait for it, and are to say so. */
const REFRESH_CALL = { priority: 'push', timeoutMs: 8_000, withinMs: 3_000 } as const;
/** Without a page; a wait for the allowance, or behind a pull that does not get on, is such a time. */
const REFRESH_MS = 35_000;

async function inTime<T>(
  session: Session,
  signal: AbortSignal,
  read: (reading: ReadOptions) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const tooLate = new SyncError(
    `what changed in ${session.remote.title} could not be read in time`,
    {
      code: 'refresh-timeout',
      disposition: 'retry',
    },
  );
  let timer: NodeJS.Timeout | undefined;
  const onPage = () => {
    clearTimeout(timer);
    timer = setTimeout(() => late.abort(tooLate), REFRESH_MS);
  };
  onPage();
  try {
    const either = AbortSignal.any([signal, late.signal]);
    return await read({ ...REFRESH_CALL, signal: either, onPage });
  } catch (error) {
    throw late.signal.aborted && !signal.aborted ? tooLate : error;
  } finally {
    clearTimeout(timer);
  }
}

function pushTrouble(session: Session): PushDeps['trouble'] {
  const { troubles, db } = session;
  const partOf = (object: string) => ({ object, part: 'push' }) as const;
  return {
    waitMs: (object) => troubles.waitMs(partOf(object)),
    stands: (object) => troubles.stands(partOf(object)),
    async failed(object, error, signal) {
      const { code, message, retryInMs } = await objectError(
        session,
        partOf(object),
        error,
        signal,
      );
      return retryInMs === null ? null : { reason: `${code}: ${message}`, retryInMs };
    },
    async worked(object) {
      const code = troubles.codeOf(partOf(object));
      if (code === null) return false;
      const takenUp = await takeUpAgain(db, object, code);
      await troubles.worked(partOf(object));
      return takenUp > 0;
    },
  };
}

/**
 * Sends what waits, once. Beside a daemon the sending is left to it: this process wakes it and
 * waits for the result.
 */
export async function pushOnce(session: Session, options: PushOptions): Promise<PushOutcome> {
  if (!session.installation.adopted) throw copiedDatabase();
  const objects = options.objects && new Set(options.objects);
  await retryRefused(session.db);
  const keeper = new LeaseKeeper(session.db, { holder: session.holder });
  await keeper.start();
  try {
    if (keeper.epoch === null) {
      const leader = await readLease(session.db);
      await notify(session.db, 'outbox', '');
      await waitUntilSettled(session, keeper, options);
      // A leader that was killed holds its lease for some seconds more: then it is our turn.
      if (keeper.epoch === null) {
        const errors = await readErrors(session, options);
        return { ...NOTHING, delegatedTo: leader?.holder ?? 'another process', errors };
      }
    }
    const total = { ...NOTHING };
    const deadlineMs = session.nowMs() + SETTLING_MS;
    for (;;) {
      const result = await runPush(pushDeps(session, keeper), options.signal, objects);
      await sendComments(session, keeper, options);
      for (const name of OUTCOMES) total[name] += result[name];
      const errors = await readErrors(session, options);
      // What is in trouble is told at once, and not waited for.
      const inTrouble = new Set(errors.map(({ object }) => object));
      const waited = (options.objects ?? session.tables.map(({ object }) => object)).filter(
        (object) => !inTrouble.has(object),
      );
      const unsettled = await countUnsettled(session.db, waited);
      const retryInMs = Math.max(result.waitMs ?? 0, unsettled.retryInMs ?? 0);
      const nothingLeft = result.waitMs === null && unsettled.retryInMs === null;
      if (nothingLeft || options.signal.aborted || session.nowMs() + retryInMs > deadlineMs) {
        return { ...total, delegatedTo: null, errors };
      }
      await pause(Math.max(retryInMs, POLL_MS), options.signal);
    }
  } finally {
    await keeper.stop();
  }
}

async function readErrors(
  { db }: Session,
  { objects }: PushOptions,
): Promise<readonly PushError[]> {
  const troubles = await readTroubles(db);
  return troubles
    .filter(({ part, object }) => part === 'push' && (objects?.includes(object) ?? true))
    .map(({ object, code, message, hint }) => ({ object, code, message, hint }));
}

/** A copy (staging!) must not send what the original sends as well (invariant 9). */
export function copiedDatabase(): SyncError {
  return new SyncError('this database is a copy of another one: nothing is sent from it', {
    code: 'installation-copied',
    disposition: 'halt',
    hint: 'run `clarify-sync doctor --adopt` where this is the database to push from now on',
  });
}

/** Ends as well where this process comes to lead. */
async function waitUntilSettled(
  session: Session,
  keeper: LeaseKeeper,
  options: PushOptions,
): Promise<void> {
  const deadlineMs = session.nowMs() + SETTLING_MS;
  while (!options.signal.aborted && keeper.epoch === null && session.nowMs() < deadlineMs) {
    const { pending, sending } = await countUnsettled(session.db, options.objects);
    if (pending + sending === 0) return;
    await pause(POLL_MS, options.signal);
  }
}

/** Ends early where the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
