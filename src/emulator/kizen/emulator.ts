import type { Model } from '../kernel/model.ts';
import { seededRandom, uuid } from '../kernel/random.ts';
import { createRateLimiter } from '../kernel/rate-limit.ts';
import { BODY_CEILING } from '../kernel/request-body.ts';
import { type ServeOptions, type Serving, serve } from '../kernel/serve.ts';
import { contentsOf, createActions } from './admin-actions.ts';
import { type Credentials, createApi, unknownPath } from './api.ts';
import { errorForm, recordForm } from './api-error.ts';
import { createBusiness } from './business.ts';
import { createObjects } from './objects.ts';
import { defaultSizes, fillBusiness, type SampleSizes } from './sample-data.ts';
import { createStore, type Store } from './store.ts';
import { kizenSwitches, type Switches } from './switches.ts';

export interface EmulatorOptions extends ServeOptions {
  /** Default `demo-key`. */
  readonly apiKey?: string | undefined;
  /** Sample records by object, over the defaults; `'none'` for an empty business. */
  readonly sizes?: SampleSizes | 'none' | undefined;
  readonly switches?: Partial<Switches> | undefined;
  /** Epoch milliseconds; the times of writes and the Date header. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Real milliseconds for what is allowed in so long a time. */
  readonly monotonicMs?: (() => number) | undefined;
}

export interface KizenEmulator extends Serving {
  /** With the `/api` of every path. */
  readonly url: string;
  readonly apiKey: string;
  readonly userId: string;
  readonly businessId: string;
  /** The records themselves, without HTTP. */
  readonly store: Store;
  /** Live: setting one takes effect at once. */
  readonly switches: Switches;
  /** How many mails bulk calls have sent. */
  mails(): number;
  revoke(): void;
}

/**
 * A Kizen business on this machine, over HTTP.
 *
 * @throws the listen error where host or port cannot be had
 */
export async function startKizen(options: EmulatorOptions = {}): Promise<KizenEmulator> {
  const { apiKey = 'demo-key', clock = Date.now, switches, monotonicMs } = options;
  const seed = String(options.seed ?? 1);
  const business = createBusiness({ seed, clock, switches });
  business.objects.push(...createObjects(seededRandom(`${seed} schema`)));
  if (options.sizes !== 'none') fillBusiness(business, seed, { ...defaultSizes, ...options.sizes });
  const store = createStore(business);
  const userId = uuid(seededRandom(`${seed} user`));
  const credentials: Credentials = { apiKey, userId, revoked: false };
  const model: Model = {
    now: business.now,
    switches: business.switches,
    parseSwitch: kizenSwitches.parse,
    bodyLimit: () => BODY_CEILING,
    beside: () => null,
    admit: createApi({ business, credentials, limiter: createRateLimiter(monotonicMs) }),
    errors: { ...errorForm, unknownPath },
    records: recordForm,
    contents: contentsOf(business, store),
    actions: createActions(business, store, credentials),
  };
  const serving = await serve(model, options);
  return {
    ...serving,
    url: `${serving.origin}/api`,
    apiKey,
    userId,
    businessId: business.id,
    store,
    switches: business.switches,
    mails: () => business.mails,
    revoke() {
      credentials.revoked = true;
    },
  };
}
