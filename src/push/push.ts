import { setTimeout as sleep } from 'node:timers/promises';
import type { PushDeps } from './push-deps.ts';
import { createPushLine, type PushResult } from './push-line.ts';

/**
 * Sends everything that is due until nothing is, several objects side by side. To be run by the leader
 * alone, one at a time.
 *
 * @throws SyncError `lease-lost`, or what else concerns every object.
 */
export async function runPush(
  deps: PushDeps,
  signal: AbortSignal,
  objects?: ReadonlySet<string>,
): Promise<PushResult> {
  const line = createPushLine({ signal, objects });
  for (;;) {
    const { running, againMs } = await line.look(deps).catch(async (error: unknown) => {
      await line.settled().catch(() => undefined);
      throw error;
    });
    if (running === 0) return await line.settled();
    const turns = [line.turn(), ...(againMs === null ? [] : [sleep(againMs)])];
    await Promise.race(turns);
  }
}
