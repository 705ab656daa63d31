/** Bulk writes under way at once; the client's allowance decides how fast they go. */
const WORKERS = 4;

/** Works on several at once, until one fails: nothing is begun from then on. */
export class AtOnce {
  #stopped = false;

  get stopped(): boolean {
    return this.#stopped;
  }

  /** @throws what the first that failed threw, once none is at work any more. */
  async each<T>(next: () => T | undefined, work: (item: T) => Promise<void>): Promise<void> {
    const worker = async (): Promise<void> => {
      try {
        const unlessStopped = () => (this.#stopped ? undefined : next());
        for (let item = unlessStopped(); item !== undefined; item = unlessStopped()) {
          await work(item);
        }
      } catch (error) {
        this.#stopped = true;
        throw error;
      }
    };
    const workers = Array.from({ length: WORKERS }, worker);
    const failed = (await Promise.allSettled(workers)).find((one) => one.status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
}
