import type { HookCalls } from '../../crm/adapter.ts';
import type { Database } from '../../db/connection/database.ts';
import { notify } from '../../db/connection/listener.ts';
import { noteHints } from '../../db/position/hints.ts';
import { readHook } from '../../db/service/hook.ts';
import { SyncError } from '../../domain/errors.ts';
import { type Hint, notedHints } from '../../domain/hint.ts';
import type { HookReceiver } from '../../http/hook-route.ts';
import { remembered } from '../../http/snapshot.ts';

export interface ReceiverDeps {
  readonly db: Database;
  readonly calls: () => Promise<HookCalls>;
  readonly log: { warn(fields: object, message: string): void };
  readonly monotonicMs?: () => number;
}

/** Hints that wait to be written at a time; a call that would bring more is to come again. */
const MOST_WAITING = 20_000;
/** Whoever calls without the secret may do so all day: it is said this often. */
const TELL_EVERY_MS = 600_000;

/**
 * Takes the calls of a CRM in any process, whoever leads: proves that they are the CRM's, and writes
 * down which records they name. Calls that come while that is written share the next transaction.
 */
export function createReceiver(deps: ReceiverDeps): HookReceiver {
  const { db, calls, log, monotonicMs = () => performance.now() } = deps;
  const noted = createNoter(db);
  // Whoever is called in the second in which a secret changes is called again. However slow the database,
  // not longer: each time it is called again later.
  const hook = remembered(() => readHook(db), { monotonicMs, times: 0 });
  let toldMs = Number.NEGATIVE_INFINITY;
  let refused = 0;

  function tellRefused(): void {
    refused += 1;
    if (monotonicMs() - toldMs < TELL_EVERY_MS) return;
    toldMs = monotonicMs();
    log.warn(
      { calls: refused },
      'calls of the webhook address were refused: not signed by the CRM',
    );
    refused = 0;
  }

  return {
    async receive(call) {
      const standing = await hook();
      if (standing === null || standing.secret === null) return 'unknown';
      const { isSigned, read } = await calls();
      if (!isSigned(call, standing.secret)) {
        tellRefused();
        return 'refused';
      }
      const objects = new Map(Object.entries(standing.objects));
      const hints = (read(call.body) ?? []).filter(({ ref }) => objects.has(ref));
      if (hints.length === 0) return 'nothing';
      await noted(hints, objects);
      return 'noted';
    },
  };
}

interface Batch {
  readonly hints: Hint[];
  objects: ReadonlyMap<string, string>;
}

/** Writes hints down, one transaction at a time; it returns once theirs is committed. */
function createNoter(
  db: Database,
): (hints: readonly Hint[], objects: ReadonlyMap<string, string>) => Promise<void> {
  let writing: Promise<unknown> = Promise.resolve();
  let waiting: { readonly batch: Batch; readonly written: Promise<void> } | null = null;

  async function write({ hints: told, objects }: Batch): Promise<void> {
    const hints = notedHints(told, objects);
    await db.transaction(
      async (tx) => {
        await noteHints(tx, hints);
        await notify(tx, 'hint', '');
      },
      { lockTimeoutMs: 1_000, statementTimeoutMs: 5_000 },
    );
  }

  return async (hints, objects) => {
    if ((waiting?.batch.hints.length ?? 0) + hints.length > MOST_WAITING) throw busy();
    if (waiting === null) {
      const batch: Batch = { hints: [...hints], objects };
      const before = writing;
      const inTurn = async () => {
        await before.catch(() => undefined);
        waiting = null;
        await write(batch);
      };
      const written = inTurn();
      writing = written;
      waiting = { batch, written };
    } else {
      waiting.batch.hints.push(...hints);
      waiting.batch.objects = objects;
    }
    await waiting.written;
  };
}

function busy(): SyncError {
  return new SyncError('more calls of the CRM wait to be written down than are taken', {
    code: 'hook-busy',
    disposition: 'retry',
  });
}
