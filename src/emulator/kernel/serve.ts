import { createAdmin } from './admin.ts';
import { createFaults, type Faults } from './faults.ts';
import type { Model } from './model.ts';
import { seededRandom } from './random.ts';
import type { ServedExchange } from './served-exchange.ts';
import { createApiServer } from './server.ts';
import { createStats, type RequestEvent, type Stats } from './stats.ts';

export interface ServeOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Same seed, same sample records and same chances of a fault; default `1`. */
  readonly seed?: string | number | undefined;
  /** Told of every request once it was answered. */
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
  /** Given every request as it came and its answer as it went. */
  readonly onExchange?: ((exchange: ServedExchange) => void) | undefined;
}

/** An emulated workspace at work. */
export interface Serving {
  /** `http://host:port` */
  readonly origin: string;
  /** `http://host:port/_emulator` */
  readonly adminUrl: string;
  readonly port: number;
  readonly faults: Faults;
  stats(): Stats;
  resetStats(): void;
  /** Hangs up on everyone; safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Serves a model over HTTP.
 *
 * @throws the listen error where host or port cannot be had
 */
export async function serve(model: Model, options: ServeOptions): Promise<Serving> {
  const { host = '127.0.0.1', port = 0, seed = 1, onRequest, onExchange } = options;
  const faults = createFaults(seededRandom(`${seed} faults`));
  const stats = createStats();
  const admin = createAdmin({ model, faults, stats });
  const server = createApiServer({ model, faults, stats, onRequest, onExchange, admin });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${listening}`;
  let stopping: Promise<void> | null = null;
  return {
    origin,
    adminUrl: `${origin}/_emulator`,
    port: listening,
    faults,
    stats: stats.read,
    resetStats: stats.reset,
    stop() {
      stopping ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return stopping;
    },
  };
}
