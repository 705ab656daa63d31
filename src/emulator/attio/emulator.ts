import type { Model } from '../kernel/model.ts';
import { seededRandom } from '../kernel/random.ts';
import { createRateLimiter } from '../kernel/rate-limit.ts';
import { BODY_CEILING } from '../kernel/request-body.ts';
import { type ServeOptions, type Serving, serve } from '../kernel/serve.ts';
import { contentsOf, createActions } from './admin-actions.ts';
import { createApi, type Token } from './api.ts';
import { errorForm, recordForm } from './api-error.ts';
import { defaultSizes, fillWorkspace, type SampleSizes } from './sample-data.ts';
import { createObjects } from './standard-objects.ts';
import { createStore, type Store } from './store.ts';
import { attioSwitches, type Switches } from './switches.ts';
import { createWorkspace } from './workspace.ts';

export interface EmulatorOptions extends ServeOptions {
  /** Default `demo-key`. */
  readonly apiKey?: string | undefined;
  /** Sample records by object, over the defaults; `'none'` for an empty workspace. */
  readonly sizes?: SampleSizes | 'none' | undefined;
  readonly switches?: Partial<Switches> | undefined;
  /** Epoch milliseconds; the times of writes and the Date header. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Real milliseconds for what is allowed in so long a time. */
  readonly monotonicMs?: (() => number) | undefined;
}

export interface AttioEmulator extends Serving {
  /** Without the `/v2` of every path. */
  readonly url: string;
  readonly apiKey: string;
  readonly workspaceId: string;
  /** The records themselves, without HTTP. */
  readonly store: Store;
  /** Live: setting one takes effect at once. */
  readonly switches: Switches;
  revoke(): void;
}

const MADE_MS = Date.UTC(2025, 0, 7, 9);

/**
 * An Attio workspace on this machine, over HTTP.
 *
 * @throws the listen error where host or port cannot be had
 */
export async function startAttio(options: EmulatorOptions = {}): Promise<AttioEmulator> {
  const { apiKey = 'demo-key', clock = Date.now, switches, monotonicMs } = options;
  const seed = String(options.seed ?? 1);
  const workspace = createWorkspace({ seed, clock, switches, monotonicMs });
  const made = workspace.stamp(MADE_MS);
  workspace.objects.push(...createObjects(seededRandom(`${seed} schema`), made));
  if (options.sizes !== 'none')
    fillWorkspace(workspace, seed, { ...defaultSizes, ...options.sizes });
  const store = createStore(workspace);
  const token: Token = { value: apiKey, revoked: false };
  const model: Model = {
    now: workspace.now,
    switches: workspace.switches,
    parseSwitch: attioSwitches.parse,
    bodyLimit: () => BODY_CEILING,
    beside: () => null,
    admit: createApi({ workspace, token, limiter: createRateLimiter(monotonicMs) }),
    errors: errorForm,
    records: recordForm,
    contents: contentsOf(workspace, store),
    actions: createActions(workspace, store, token),
  };
  const serving = await serve(model, options);
  return {
    ...serving,
    url: serving.origin,
    apiKey,
    workspaceId: workspace.id,
    store,
    switches: workspace.switches,
    revoke() {
      token.revoked = true;
    },
    async stop() {
      workspace.webhooks.stop();
      await serving.stop();
    },
  };
}
