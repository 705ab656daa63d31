import { type ServeOptions, type Serving, serve } from '../kernel/serve.ts';
import { AUTHORIZE_PATH, createAuthorizationServer, TOKEN_PATH } from './authorization.ts';
import { builtInObjects } from './built-in-objects.ts';
import type { Extras } from './extras.ts';
import { createModel } from './model.ts';
import { defaultSizes, fillWorkspace, type SampleSizes } from './sample-data/fill-workspace.ts';
import { createStore, type Store } from './store.ts';
import type { Dialect, Switches } from './switches.ts';
import { createWorkspace } from './workspace.ts';

export interface EmulatorOptions extends ServeOptions {
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
  /** Sample records by object, over the defaults; `'none'` for an empty workspace. */
  readonly sizes?: SampleSizes | 'none' | undefined;
  readonly switches?: Partial<Switches> | undefined;
  /** Epoch milliseconds; the timestamps of writes and the Date header. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Real milliseconds for the rate limit's window. */
  readonly monotonicMs?: (() => number) | undefined;
}

export interface Emulator extends Serving {
  /** Ends in `/v1`. */
  readonly url: string;
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
  /** Lists, settings, comments and so on; what is changed takes effect at once. */
  readonly extras: Extras;
  /** Live: setting one takes effect at once. */
  readonly switches: Switches;
  /** Ends every access token at once, or every login with all of its tokens. */
  revoke(what: 'access' | 'logins'): void;
}

/**
 * A Clarify workspace on this machine, over HTTP.
 *
 * @throws the listen error where host or port cannot be had
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { apiKey = 'demo-key', clientId = 'demo-client', dialect = 'current' } = options;
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
  const store = createStore(workspace);
  const authorization = createAuthorizationServer(workspace, clientId);
  const accessToken = options.accessToken ?? null;
  const { monotonicMs } = options;
  const serving = await serve(
    createModel({ workspace, store, authorization, apiKey, accessToken, monotonicMs }),
    options,
  );
  const { origin } = serving;
  return {
    ...serving,
    url: `${origin}/v1`,
    workspace: workspace.slug,
    apiKey,
    oauth: {
      clientId,
      authorizeUrl: `${origin}${AUTHORIZE_PATH}`,
      tokenUrl: `${origin}${TOKEN_PATH}`,
    },
    store,
    extras: workspace.extras,
    switches: workspace.switches,
    revoke: authorization.revoke,
  };
}
