/** Something that runs until it is told to stop. Both calls are safe in any order and number. */
export interface Service {
  /** Resolves once it works; where it rejects, nothing of it is left running. */
  start(): Promise<void>;
  /** Resolves once nothing of it runs any more. */
  stop(): Promise<void>;
}

type Release = () => Promise<void> | void;

/**
 * Makes a service of one function that acquires what is needed and returns how to let go of it.
 * Starts are single-flight, and a start during a stop waits for the end of the stop.
 */
export function createService(acquire: () => Promise<Release> | Release): Service {
  let running: Promise<Release> | null = null;
  let stopped: Promise<void> = Promise.resolve();
  return {
    async start() {
      if (running === null) {
        const starting = stopped.catch(() => {}).then(acquire);
        running = starting;
        starting.catch(() => {
          if (running === starting) running = null;
        });
      }
      await running;
    },
    stop() {
      const current = running;
      if (current === null) return stopped;
      running = null;
      // A start that failed has cleaned up after itself.
      const release = current.catch((): Release => () => {});
      stopped = release.then((letGo) => letGo());
      return stopped;
    },
  };
}

/**
 * One service of many: started in order, stopped in reverse. Where one fails to start, those
 * before it are stopped again; where one fails to stop, the others are stopped all the same.
 */
export function startAll(services: readonly Service[]): Service {
  return createService(async () => {
    const started: Service[] = [];
    const release = async () => {
      const errors: unknown[] = [];
      for (const service of started.toReversed()) {
        await service.stop().catch((error: unknown) => errors.push(error));
      }
      if (errors.length === 1) throw errors[0];
      if (errors.length > 1) throw new AggregateError(errors, 'several services did not stop');
    };
    try {
      for (const service of services) {
        await service.start();
        started.push(service);
      }
    } catch (error) {
      await release().catch(() => {});
      throw error;
    }
    return release;
  });
}
