import { setTimeout as sleep } from 'node:timers/promises';
import { readDatabaseTime } from '../../db/position/cursor.ts';
import { dropHintsBut, readHintsDue } from '../../db/position/hints.ts';
import { storeHookObjects } from '../../db/service/hook.ts';
import { SyncError } from '../../domain/errors.ts';
import type { PushLease } from '../../push/push-deps.ts';
import { HINTS_AT_ONCE, type HintsRead, readHints } from '../hooks/read-hints.ts';
import { registerHook } from '../hooks/registration.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session.ts';
import { createLoop, Wake } from './loop.ts';

export interface HintsOptions {
  /** Told of an error that no repetition mends. */
  readonly onHalt: (error: unknown) => void;
  /** Told of what was read because of hints. */
  readonly onRead?: (object: string, read: HintsRead) => void;
}

export interface HintReader extends Service {
  /** Somebody has noted a hint. */
  wake(): void;
}

/** Hints that come one after another are looked at together. */
const GATHER_MS = 250;
/** Where somebody may be called, and nobody heard of it; or where what is due could not be read. */
const POLL_MS = 2_000;
/** Where hints come of our own doubts alone, which are told of. */
const IDLE_MS = 30_000;
/** How often the CRM is asked whether it still calls. */
const CHECK_MS = 300_000;

/**
 * Reads what hints tell of, in the process that leads, and sees to it that the CRM calls where it is
 * asked to.
 */
export function createHintReader(
  session: Session,
  lease: PushLease,
  { onHalt, onRead }: HintsOptions,
): HintReader {
  const wake = new Wake();
  const stopping = new AbortController();
  const { signal } = stopping;
  const keepHook = createHookKeeper(session, lease);
  const idleMs = session.config.hookUrl == null ? IDLE_MS : POLL_MS;
  let lookedMs = Number.NEGATIVE_INFINITY;

  const runOnce = async (): Promise<{ readonly pauseMs?: number } | undefined> => {
    if (lease.epoch === null) return { pauseMs: POLL_MS };
    const sinceMs = performance.now() - lookedMs;
    if (sinceMs < GATHER_MS) await pause(GATHER_MS - sinceMs, signal);
    lookedMs = performance.now();
    await keepHook(signal);
    const { objects, nextMs } = await readHintsDue(session.db);
    const unknown = new Set(objects);
    let dueMs = nextMs ?? idleMs;
    for (const table of session.tables) {
      if (!unknown.delete(table.object)) continue;
      if (signal.aborted || lease.epoch === null) return { pauseMs: POLL_MS };
      const part = { object: table.object, part: 'hints' } as const;
      if (session.troubles.waitMs(part) > 0) {
        dueMs = Math.min(dueMs, POLL_MS);
        continue;
      }
      const read = await readHints(session, table, { signal, priority: 'pull' });
      // What failed, or is more than was looked at, is due still.
      if (session.troubles.stands(part)) dueMs = Math.min(dueMs, POLL_MS);
      if (read.hints === HINTS_AT_ONCE) dueMs = 0;
      if (read.inserted + read.updated + read.removed > 0) {
        session.log.info({ object: table.object, ...read }, 'read what was told of');
      }
      onRead?.(table.object, read);
    }
    if (unknown.size > 0) {
      await dropHintsBut(
        session.db,
        session.tables.map(({ object }) => object),
      );
    }
    return { pauseMs: Math.min(idleMs, Math.max(GATHER_MS, dueMs)) };
  };

  const loop = createLoop({ name: 'hints', runOnce, idleMs, wake, log: session.log }, onHalt);
  return {
    start: loop.start,
    async stop() {
      stopping.abort();
      await loop.stop();
    },
    wake: () => wake.wake(),
  };
}

type Objects = ReadonlyMap<string, string>;

/** Looks now and again whether the CRM still calls; nothing else depends on it. */
function createHookKeeper(
  session: Session,
  lease: PushLease,
): (signal: AbortSignal) => Promise<void> {
  const { db, remote, log, config } = session;
  const { hookUrl: url } = config;
  let since: string | null = null;
  let epoch: bigint | null = null;
  let dueMs = Number.NEGATIVE_INFINITY;
  let stored = '';
  let problem: string | null = null;

  async function register(held: bigint, objects: Objects, signal: AbortSignal): Promise<void> {
    if (url == null || performance.now() < dueMs) return;
    dueMs = performance.now() + CHECK_MS;
    try {
      since ??= await readDatabaseTime(db);
      const call = { priority: 'pull', signal, withinMs: 10_000 } as const;
      const options = { ...call, epoch: held, since, objects };
      const came = await registerHook({ db, remote, url }, options);
      if (came === 'made') log.info({ url }, `${remote.title} tells of changes from now on`);
      if (came === 'made') stored = '';
      if (problem !== null) log.info(`${remote.title} can be asked to call again`);
      problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SyncError)) throw error;
      const { code, message, hint } = error;
      const passes = error.disposition === 'retry';
      if (passes) dueMs = performance.now() + POLL_MS * 5;
      // Everything works the same without, only later.
      log[problem === code || passes ? 'debug' : 'warn'](
        { code, hint },
        `${remote.title} is not asked to call: ${message}`,
      );
      problem = code;
    }
  }

  /** Those that are mirrored, by what calls name them: calls about others cost nothing. */
  function calledObjects(): Objects | null {
    const known = remote.hooks?.objects ?? null;
    if (known === null) return null;
    const mirrored = new Set(session.tables.map(({ object }) => object));
    return new Map([...known].filter(([, object]) => mirrored.has(object)));
  }

  /** Objects come and go. */
  async function tellObjects(objects: Objects): Promise<void> {
    const text = JSON.stringify([...objects]);
    if (text === stored) return;
    await storeHookObjects(db, objects);
    stored = text;
  }

  return async (signal) => {
    const held = lease.epoch;
    if (url == null || remote.hooks === undefined || !session.installation.adopted) return;
    if (held === null) return;
    if (held !== epoch) dueMs = Number.NEGATIVE_INFINITY;
    epoch = held;
    const objects = calledObjects();
    // What is called about is not known yet: what was told would be taken for nobody's.
    if (objects === null) return;
    await register(held, objects, signal);
    await tellObjects(objects);
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
