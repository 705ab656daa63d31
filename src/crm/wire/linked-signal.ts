import { setMaxListeners } from 'node:events';

/** A signal that aborts with any of the given ones, until it is let go. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Stops listening. `AbortSignal.any` would keep every call in memory as long as the daemon. */
  release(): void;
}

export function linkSignals(...sources: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  // Every attempt of a call listens, and got goes on listening.
  setMaxListeners(0, controller.signal);
  const abort = () => {
    controller.abort(sources.find(({ aborted }) => aborted)?.reason);
  };
  for (const source of sources) {
    // Many calls at once share one signal; more than ten listeners would be reported as a leak.
    setMaxListeners(0, source);
    source.addEventListener('abort', abort, { once: true });
  }
  if (sources.some(({ aborted }) => aborted)) abort();
  return {
    signal: controller.signal,
    release() {
      for (const source of sources) source.removeEventListener('abort', abort);
    },
  };
}
