import { runDaemon } from '../../src/app/daemon/daemon.ts';
import type { TestWorkspace } from './workspace.ts';

export interface RunningDaemon {
  /** Such as `http://127.0.0.1:43125`. */
  readonly statusUrl: string;
  /** Drains it. */
  stop(): Promise<void>;
}

/** The service itself, in this process; its status server takes the configured port. */
export async function startDaemon({
  session,
}: Pick<TestWorkspace, 'session'>): Promise<RunningDaemon> {
  const stopping = new AbortController();
  let onReady = (_url: string | null) => {};
  const ready = new Promise<string | null>((resolve) => {
    onReady = resolve;
  });
  const running = runDaemon(session, { signal: stopping.signal, onReady });
  const ended = running.then(() => null);
  const statusUrl = await Promise.race([ready, ended]);
  return {
    statusUrl: statusUrl ?? '',
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
