import { createAdmin } from './admin.ts';
import { AUTHORIZE_PATH, createAuthorizationServer, TOKEN_PATH } from './authorization.ts';
import { builtInObjects } from './built-in-objects.ts';
import { createFaults, type Faults } from './faults.ts';
import { seededRandom } from './random.ts';
import { createRateLimiter } from './rate-limit.ts';
import { defaultSizes, fillWorkspace, type SampleSizes } from './sample-data/fill-workspace.ts';
import type { ServedExchange } from './served-exchange.ts';
import { createApiServer } from './server.ts';
import { createStats, type RequestEvent, type Stats } from './stats.ts';
import { createStore, type Store } from './store.ts';
import type { Dialect, Switches } from './switches.ts';
import { createWorkspace } from './workspace.ts';

export interface EmulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Default `demo-key`. */
  readonly apiKey?: string | undefined;
  /** An OAuth access token to accept as `Bearer`; default none. */
  readonly accessToken?: string | undefined;
  /** The app that people may sign in to; default `demo-client`. */
  readonly clientId?: string | undefined;
  /** The workspace's slug; default `demo`. */
  readonly workspace?: string | undefined;
  /** Default `current`. */
  readonly dialect?: Dialect | undefined;
  /** Same seed, same sample records; default `1`. */
  readonly seed?: string | number | undefined;
  /** Sample records by object, over the defaults; `'none'` for an empty workspace. */
  readonly sizes?: SampleSizes | 'none' | undefined;
  readonly switches?: Partial<Switches> | undefined;
  /** Epoch milliseconds; the timestamps of writes and the Date header. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Real milliseconds for the rate limit's window. */
  readonly monotonicMs?: (() => number) | undefined;
  /** Told of every request once it was answered. */
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
  /** Given every request as it came and its answer as it went. */
  readonly onExchange?: ((exchange: ServedExchange) => void) | undefined;
}

export interface Emulator {
  /** Ends in `/v1`. */
  readonly url: string;
  /** `http://host:port/_emulator` */
  readonly adminUrl: string;
  readonly port: number;
  readonly workspace: string;
  readonly apiKey: string;
  /** Where people sign in to the app of this client id. */
  readonly oauth: {
    readonly clientId: string;
    readonly authorizeUrl: string;
    readonly tokenUrl: string;
  };
  /** The records themselves, without HTTP. */
  readonly store: Store;
  readonly faults: Faults;
  /** Live: setting one takes effect at once. */
  readonly switches: Switches;
  /** Ends every access token at once, or every login with all of its tokens. */
  revoke(what: 'access' | 'logins'): void;
  stats(): Stats;
  resetStats(): void;
  /** Hangs up on everyone; safe to call twice. */
  stop(): Promise<void>;
}

/**
 * A Clarify workspace on this machine, over HTTP.
 *
 * @throws the listen error where host or port cannot be had
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { host = '127.0.0.1', port = 0, apiKey = 'demo-key', dialect = 'current' } = options;
  const seed = String(options.seed ?? 1);
  const workspace = createWorkspace({
    slug: options.workspace ?? 'demo',
    dialect,
    seed,
    clock: options.clock ?? Date.now,
    switches: options.switches,
    objects: builtInObjects(dialect),
  });
  if (options.sizes !== 'none')
    fillWorkspace(workspace, seed, { ...defaultSizes, ...options.sizes });
  const faults = createFaults(seededRandom(`${seed} faults`));
  const stats = createStats();
  const store = createStore(workspace);
  const clientId = options.clientId ?? 'demo-client';
  const authorization = createAuthorizationServer(workspace, clientId);
  const server = createApiServer({
    workspace,
    apiKey,
    accessToken: options.accessToken ?? null,
    limiter: createRateLimiter(options.monotonicMs),
    authorization,
    faults,
    stats,
    onRequest: options.onRequest,
    onExchange: options.onExchange,
    admin: createAdmin({ workspace, store, faults, stats, authorization }),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  const authority = `${host.includes(':') ? `[${host}]` : host}:${listening}`;
  let stopping: Promise<void> | null = null;
  return {
    url: `http://${authority}/v1`,
    adminUrl: `http://${authority}/_emulator`,
    port: listening,
    workspace: workspace.slug,
    apiKey,
    oauth: {
      clientId,
      authorizeUrl: `http://${authority}${AUTHORIZE_PATH}`,
      tokenUrl: `http://${authority}${TOKEN_PATH}`,
    },
    store,
    faults,
    switches: workspace.switches,
    revoke: authorization.revoke,
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
