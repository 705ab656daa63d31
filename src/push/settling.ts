import type { Sent } from './sent.ts';

/** Results written down at once, and as many as may wait for it before nobody sends any further. */
const AT_ONCE = 1_000;
const MOST_WAITING = 4_000;

type Report = (sent: readonly Sent[]) => Promise<void>;

export interface Settling {
  /**
   * Takes results over, to be written down in the order they come. Resolves at once while few wait.
   *
   * @throws what the writing of earlier ones threw: nothing is taken over any more then.
   */
  readonly report: Report;
  /** Resolves once all is written down. @throws what kept it from that. */
  drained(): Promise<void>;
}

/**
 * Writes down what came of changes while others are being sent: the time between the look at what is
 * overwritten and the overwriting is that of the sending alone. What comes while something is
 * written goes into the next transaction, many answers in one.
 */
export function createSettling(write: Report): Settling {
  let waiting: Sent[] = [];
  let writing: Promise<void> | null = null;
  let failed: { readonly error: unknown } | null = null;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const part = waiting.slice(0, AT_ONCE);
      waiting = waiting.slice(AT_ONCE);
      await write(part);
    }
  }

  function begin(): Promise<void> {
    writing ??= writeAll()
      .catch((error: unknown) => {
        failed ??= { error };
        waiting = [];
      })
      .finally(() => {
        writing = null;
      });
    return writing;
  }

  function raise(): void {
    if (failed !== null) throw failed.error;
  }

  return {
    async report(sent) {
      raise();
      waiting.push(...sent);
      const written = begin();
      if (waiting.length > MOST_WAITING) await written;
      raise();
    },
    async drained() {
      while (waiting.length > 0 || writing !== null) await begin();
      raise();
    },
  };
}
