import type { CallOptions, Remote, Undescribed } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { OpenRemote, SettingNames } from '../adapter.ts';
import { type ConnectionOptions, openConnection } from '../wire/connection.ts';
import { keyCredentials } from '../wire/credentials.ts';
import { createPageLimit } from '../wire/page-limit.ts';
import { attioApi } from './api.ts';
import { createCatalog } from './attribute.ts';
import { CAPABILITIES } from './capabilities.ts';
import { createDecoder } from './decode-record.ts';
import { discover } from './discover.ts';
import { schemasOf } from './fields.ts';
import { createHooks } from './hooks.ts';
import { createLinkWrites } from './links.ts';
import { createOptionLists } from './option-lists.ts';
import { createPastActivities } from './past-activities.ts';
import { createPastValues, createReadValues } from './past-values.ts';
import { createReads } from './reads.ts';
import { checkScopes, selfCall } from './self.ts';
import { VARIABLES } from './settings.ts';
import { TITLE } from './title.ts';
import { createWrites } from './writes.ts';

export interface AttioRemoteOptions extends Omit<ConnectionOptions, 'credentials'> {
  /** Such as `https://api.attio.com`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** What the settings are called, for hints; default their variables. */
  readonly names?: SettingNames | undefined;
}

/** With what other CRMs may lack. */
export type AttioRemote = OpenRemote & Required<Pick<Remote, 'readUsers' | 'addLinks' | 'hooks'>>;

/** They last some 100 ms each: enough of them to use what a second allows. */
const WRITES_AT_ONCE = 8;

/**
 * An Attio workspace over HTTP. Errors are `RemoteError`s with the codes of `docs/errors.md`; a call
 * given up by its signal throws the signal's reason, or `remote-interrupted` (ambiguous) where a
 * write may have arrived.
 */
export function createAttioRemote(options: AttioRemoteOptions): AttioRemote {
  const { apiKey, baseUrl, names = VARIABLES } = options;
  const connection = openConnection(attioApi(baseUrl, names), {
    ...options,
    credentials: keyCredentials(apiKey, { authorization: `Bearer ${apiKey}` }),
  });
  const { send } = connection;
  const catalog = createCatalog();
  const decoder = createDecoder(catalog);
  // A longer one is cut short in silence, refused or honoured: nobody says which.
  const pageLimit = createPageLimit([500, 100, 25]);
  const readValues = createReadValues(send);
  const reads = createReads({ send, decoder, pageLimit });
  const { readRecord } = reads;
  const optionLists = createOptionLists(send);
  const deps = { send, decoder, catalog, readRecord, optionLists };
  const { put, patch, ...writes } = createWrites(deps);
  let workspace: string | null = null;
  let undescribed: Undescribed = new Map();

  return {
    title: TITLE,
    get workspace() {
      return workspace;
    },
    get undescribed() {
      return undescribed;
    },
    async discover(callOptions: CallOptions): Promise<readonly ObjectSchema[]> {
      const self = await send(selfCall, callOptions);
      checkScopes(self, names);
      workspace = `attio:${self.workspaceId}`;
      const found = await discover(send, catalog, callOptions);
      undescribed = found.undescribed;
      catalog.replace(found.objects);
      return schemasOf(found.objects);
    },
    ...reads,
    ...createPastValues(readValues, decoder),
    ...createPastActivities({ readRecord: reads.readRecord, readValues, catalog, decoder }),
    ...writes,
    ...createLinkWrites({ send, put, patch }),
    hooks: createHooks({ send, catalog }),
    capabilitiesOf: () => CAPABILITIES,
    get limits() {
      return { pageSize: pageLimit.size, batchSizeOf: () => 1, writesAtOnce: WRITES_AT_ONCE };
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
