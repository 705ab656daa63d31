import { UsageError } from '../../domain/errors.ts';
import type { Logger } from '../log.ts';
import type { FleetConfig } from './file.ts';
import { type RunningFleet, startFleet } from './start-fleet.ts';

export interface RunFleetOptions {
  readonly log: Logger;
  /** Aborting it drains, and hands every workspace over. */
  readonly signal: AbortSignal;
  /** Reads the file anew. @throws UsageError naming every mistake. */
  readonly reread: () => Promise<FleetConfig>;
  /** Calls whenever the file is to be read anew. @returns what ends it. */
  readonly onHangup: (listener: () => void) => () => void;
  readonly onReady?: (running: RunningFleet) => void;
}

/**
 * The long-running service of all workspaces of a file, shared with every other process that runs
 * with the same file. Returns when everything has drained.
 *
 * @throws UsageError where the file asks for schemas that are not ours; nothing was made then.
 */
export async function runFleet(config: FleetConfig, options: RunFleetOptions): Promise<void> {
  const { log, signal, reread, onHangup } = options;
  const starting = startFleet(config, { log });
  let turn: Promise<unknown> = Promise.allSettled([starting]);
  const reload = async () => {
    try {
      const running = await starting;
      const next = await reread();
      if (signal.aborted) return;
      await running.change(next);
      log.info({ workspaces: next.workspaces.length }, 'the file was read anew');
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UsageError)) return log.error({ err: error }, 'file not read anew');
      for (const problem of error.problems) log.error({ problem }, 'mistake in the file');
      log.error({ mistakes: error.problems.length }, 'the file is refused: nothing has changed');
    }
  };
  const deaf = onHangup(() => {
    turn = turn.then(reload);
  });
  try {
    options.onReady?.(await starting);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    deaf();
    // What the file asks for may wait for a database that is away: nobody waits for that to stop.
    await starting.then(
      (running) => running.stop(),
      () => {},
    );
    await turn;
  }
}
