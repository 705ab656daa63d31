import type { CallOptions, Remote, Undescribed } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { OpenRemote, SettingNames } from '../adapter.ts';
import { type Clock, systemClock } from '../wire/clock.ts';
import { type ConnectionOptions, openConnection } from '../wire/connection.ts';
import { keyCredentials } from '../wire/credentials.ts';
import { createFreshReads } from '../wire/fresh-reads.ts';
import { AT_ONCE, kizenApi } from './api.ts';
import { createArchive } from './archive.ts';
import { businessCall, checkBusiness } from './business.ts';
import { CAPABILITIES, OF_CONTACTS } from './capabilities.ts';
import { CONTACTS, createCatalog, type KizenObject, type KnownObject } from './catalog.ts';
import { createCreates } from './creates.ts';
import { createDecoder } from './decode-record.ts';
import { discover, readFields, readStages } from './discover.ts';
import { schemasOf } from './fields.ts';
import { createLinkWrites } from './links.ts';
import { createPageSizes } from './page-sizes.ts';
import { createReads } from './reads.ts';
import { VARIABLES } from './settings.ts';
import { createTags } from './tags.ts';
import { TITLE } from './title.ts';
import { createUpdates } from './updates.ts';
import { createWriteForms } from './write-forms.ts';
import type { WriteDeps } from './writing.ts';

export interface KizenRemoteOptions extends Omit<ConnectionOptions, 'credentials'> {
  /** Such as `https://app.go.kizen.com/api`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly userId: string;
  readonly businessId: string;
  /** What the settings are called, for hints; default their variables. */
  readonly names?: SettingNames | undefined;
}

/** With what other CRMs may lack. */
export type KizenRemote = OpenRemote & Required<Pick<Remote, 'findRecords' | 'restore'>>;

/** Options that nobody has heard of are asked for no more often than that, of one claim. */
const REFRESH_MS = 2_000;
/** Archived by one request. */
const MOST_ARCHIVED = 200;

/**
 * A business of Kizen over HTTP. Errors are `RemoteError`s with the codes of `docs/errors.md`; a call
 * given up by its signal throws the signal's reason, or `remote-interrupted` (ambiguous) where a
 * write may have arrived.
 */
export function createKizenRemote(options: KizenRemoteOptions): KizenRemote {
  const { apiKey, userId, businessId, baseUrl, names = VARIABLES } = options;
  const clock: Clock = options.clock ?? systemClock;
  const connection = openConnection(kizenApi(baseUrl, names), {
    ...options,
    credentials: keyCredentials(apiKey, {
      'x-api-key': apiKey,
      'x-user-id': userId,
      'x-business-id': businessId,
    }),
  });
  const { send } = connection;
  const catalog = createCatalog();
  const decoder = createDecoder(catalog);
  const pageSizes = createPageSizes();
  const tags = createTags(send);
  const forms = createWriteForms();
  const { lookUp, isThere, ...reads } = createReads({ send, decoder, catalog, pageSizes });
  const { readRecord } = reads;
  let objects: readonly KizenObject[] = [];
  let undescribed: Undescribed = new Map();
  const refreshes = createFreshReads<void>({ clock, withinMs: REFRESH_MS });

  async function readAnew(object: KnownObject, callOptions: CallOptions): Promise<void> {
    const fields = await readFields(send, object, callOptions);
    const stages = object.isPipeline ? await readStages(send, object, callOptions) : [];
    objects = objects.map((one) => (one.id === object.id ? { ...one, fields, stages } : one));
    catalog.replace(objects);
  }

  /** Reads the fields of one object anew, for all that ask at the same time. */
  async function refresh(used: KnownObject, callOptions: CallOptions): Promise<boolean> {
    const isNewer = () => catalog.object(used.name) !== used;
    if (isNewer()) return true;
    await refreshes.read(used.id, callOptions, () => readAnew(used, callOptions));
    return isNewer();
  }

  const deps: WriteDeps = { send, decoder, catalog, tags, forms, readRecord, lookUp, refresh };
  const { patch, relabel, ...updates } = createUpdates(deps);

  return {
    title: TITLE,
    // One user may see less of a business than another, but it is the same business.
    workspace: `kizen:${businessId.toLowerCase()}`,
    get undescribed() {
      return undescribed;
    },
    async discover(callOptions: CallOptions): Promise<readonly ObjectSchema[]> {
      checkBusiness(await send(businessCall, callOptions), businessId, names);
      const found = await discover(send, catalog, callOptions);
      ({ objects, undescribed } = found);
      catalog.replace(objects);
      return schemasOf(
        catalog,
        objects.flatMap(({ name, fields }) => (fields.length === 0 ? [] : [name])),
      );
    },
    ...reads,
    ...createCreates({ ...deps, relabel }),
    ...updates,
    ...createArchive({ send, catalog, clock, readRecord }),
    ...createLinkWrites({ catalog, forms, patch, readRecord, isThere }),
    capabilitiesOf: (object) => (object === CONTACTS ? OF_CONTACTS : CAPABILITIES),
    get limits() {
      return { pageSize: pageSizes.size, batchSizeOf: () => MOST_ARCHIVED, writesAtOnce: AT_ONCE };
    },
    get clock() {
      return connection.serverClock;
    },
    stop: connection.stop,
    stats: connection.stats,
    watch: connection.watch,
    watchHolds: connection.watchHolds,
  };
}
