import type { Model } from '../kernel/model.ts';
import { createRateLimiter } from '../kernel/rate-limit.ts';
import { BODY_CEILING } from '../kernel/request-body.ts';
import { type ServeOptions, type Serving, serve } from '../kernel/serve.ts';
import { contentsOf, createActions } from './admin-actions.ts';
import { createApi, type Key } from './api.ts';
import { errorForm, recordForm } from './api-error.ts';
import { createBudgets } from './budgets.ts';
import { defaultSizes, fillWorkspace, type SampleSizes } from './sample-data.ts';
import { addSchema } from './standard-schema.ts';
import { createStore, type Store } from './store.ts';
import { brevoSwitches, type Switches } from './switches.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

export interface EmulatorOptions extends ServeOptions {
  /** Default `demo-key`. */
  readonly apiKey?: string | undefined;
  /** Sample records by object, over the defaults; `'none'` for an empty workspace. */
  readonly sizes?: SampleSizes | 'none' | undefined;
  readonly switches?: Partial<Switches> | undefined;
  /** Epoch milliseconds; the times of writes and jobs, and the Date header. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Real milliseconds for what is allowed in so long a time. */
  readonly monotonicMs?: (() => number) | undefined;
}

export interface BrevoEmulator extends Serving {
  /** The root of the API, `/v3` included. */
  readonly url: string;
  readonly apiKey: string;
  readonly organizationId: string;
  /** The records themselves, without HTTP. */
  readonly store: Store;
  /** Live: setting one takes effect at once. */
  readonly switches: Switches;
  /** Work that is under way. */
  readonly jobs: Workspace['jobs'];
  revoke(): void;
}

/**
 * A Brevo account on this machine, over HTTP.
 *
 * @throws the listen error where host or port cannot be had
 */
export async function startBrevo(options: EmulatorOptions = {}): Promise<BrevoEmulator> {
  const { apiKey = 'demo-key', clock = Date.now, switches, monotonicMs } = options;
  const seed = String(options.seed ?? 1);
  // What was there before anybody looked shows at once, however late lists are.
  const workspace = createWorkspace({
    seed,
    clock,
    switches: { ...switches, visibilityDelayMs: 0 },
  });
  addSchema(workspace);
  const store = createStore(workspace);
  if (options.sizes !== 'none') {
    fillWorkspace(workspace, store, seed, { ...defaultSizes, ...options.sizes });
  }
  workspace.switches.visibilityDelayMs = switches?.visibilityDelayMs ?? 0;
  const key: Key = { value: apiKey, revoked: false };
  const budgets = createBudgets(workspace.switches, createRateLimiter(monotonicMs));
  const model: Model = {
    now: workspace.now,
    switches: workspace.switches,
    parseSwitch: brevoSwitches.parse,
    bodyLimit: () => BODY_CEILING,
    beside: () => null,
    admit: createApi({ workspace, key, budgets }),
    errors: errorForm,
    records: recordForm,
    contents: contentsOf(store),
    actions: createActions({ workspace, store, key, budgets }),
  };
  const serving = await serve(model, options);
  return {
    ...serving,
    url: `${serving.origin}/v3`,
    apiKey,
    organizationId: workspace.account.organizationId,
    store,
    switches: workspace.switches,
    jobs: workspace.jobs,
    revoke() {
      key.revoked = true;
    },
  };
}
