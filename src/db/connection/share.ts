import { SyncError } from '../../domain/errors.ts';
import type { Server } from './server.ts';

/** Whoever waits longer is told so, and tries again. */
const WAIT_MS = 60_000;

/**
 * A server of which at most `most` connections are in use at a time, in the order in which they were
 * asked for: one workspace that waits for somebody's locks leaves the others theirs, and that all are
 * in use is not taken for a server that does not answer. Reserved connections do not count.
 */
export function shareOf(server: Server, most: number): Server {
  let free = most;
  const waiting = new Set<() => void>();
  const enter = async (): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const next = () => {
        clearTimeout(timer);
        waiting.delete(next);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(next);
        reject(allInUse());
      }, WAIT_MS);
      waiting.add(next);
    });
  };
  const leave = (): void => {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else next();
  };
  return {
    get clock() {
      return server.clock;
    },
    isPooled: server.isPooled,
    seeClock: (seen) => server.seeClock(seen),
    nowMs: server.nowMs,
    async connect(options) {
      if (options?.reserved) return await server.connect(options);
      await enter();
      try {
        const connection = await server.connect(options);
        return {
          ...connection,
          release(broken) {
            connection.release(broken);
            leave();
          },
        };
      } catch (error) {
        leave();
        throw error;
      }
    },
    close: () => server.close(),
  };
}

function allInUse(): SyncError {
  return new SyncError('all connections of this process to Postgres are in use', {
    code: 'database-busy',
    disposition: 'retry',
  });
}
