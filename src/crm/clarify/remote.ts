import type { Remote } from '../../domain/remote.ts';
import type { OpenRemote, SettingNames } from '../adapter.ts';
import { createBatchLimits } from '../wire/batch-limit.ts';
import { systemClock } from '../wire/clock.ts';
import { type ConnectionOptions, openConnection } from '../wire/connection.ts';
import { type CredentialsProvider, keyCredentials } from '../wire/credentials.ts';
import { createPageLimit } from '../wire/page-limit.ts';
import { createActivities } from './activities.ts';
import { type Address, clarifyApi } from './api.ts';
import { CAPABILITIES } from './capabilities.ts';
import { createComments } from './comments.ts';
import { createDecoder } from './decode-record.ts';
import { createDelete } from './deletes.ts';
import { discover } from './discover.ts';
import { createReads } from './reads.ts';
import { createLinkWrites } from './relationships.ts';
import { VARIABLES } from './settings.ts';
import { createSideReads } from './side-reads.ts';
import { TITLE } from './title.ts';
import { createReadTranscript } from './transcripts.ts';
import { createWireForms } from './wire-forms.ts';
import { createWrites } from './writes.ts';

export interface ClarifyRemoteOptions extends Address, Omit<ConnectionOptions, 'credentials'> {
  /** A key, or whatever gives the credentials to use now. */
  readonly apiKey: string | CredentialsProvider;
  /** What the settings are called, for hints; default their variables. */
  readonly names?: SettingNames | undefined;
}

/** With what other CRMs may lack. */
export type ClarifyRemote = OpenRemote &
  Required<
    Pick<
      Remote,
      | 'readDeletions'
      | 'readHistory'
      | 'readActivities'
      | 'readUsers'
      | 'readTranscript'
      | 'readSide'
      | 'createComment'
    >
  >;

/** Of single writes, which nothing here needs. */
const WRITES_AT_ONCE = 4;
/** The vendor's advice for clean data. */
const FIRST_BATCH = 100;
/** As many as a page has: the answer holds them whole. */
const MOST_BATCH = 500;
/** The vendor's cap for bulk calls in the classic dialect, and its advice for data of unknown quality. */
const CLASSIC_BATCH = 25;

/**
 * A Clarify workspace over HTTP, in either dialect: which one is told by what the server answers,
 * never by configuration. Errors are `RemoteError`s with the codes of `docs/errors.md`; a call
 * given up by its signal throws the signal's reason, or `remote-interrupted` (ambiguous) where a
 * write may have arrived.
 */
export function createClarifyRemote(options: ClarifyRemoteOptions): ClarifyRemote {
  const { apiKey, clock = systemClock, names = VARIABLES } = options;
  const connection = openConnection(clarifyApi(options, names), {
    ...options,
    credentials:
      typeof apiKey === 'string'
        ? keyCredentials(apiKey, { authorization: `api-key ${apiKey}` })
        : apiKey,
  });
  const { send, userAgent } = connection;
  const forms = createWireForms();
  const decoder = createDecoder(forms);
  // Larger ones are refused in one dialect; the smallest is the default page of the other.
  const pageLimit = createPageLimit([500, 100, 25]);
  const batchLimits = createBatchLimits({
    title: TITLE,
    first: FIRST_BATCH,
    most: MOST_BATCH,
    likelyCap: CLASSIC_BATCH,
  });
  const bulk = { send, clock, batchLimitOf: (object: string) => batchLimits.of(object) };

  return {
    title: TITLE,
    workspace: options.workspace,
    async discover(callOptions) {
      const classic = () => batchLimits.cap(CLASSIC_BATCH);
      const objects = await discover({ send, forms, classic }, callOptions);
      decoder.know(objects);
      return objects;
    },
    ...createReads({ send, decoder, pageLimit }),
    ...createWrites({ ...bulk, decoder, forms }),
    ...createActivities({ send, clock }),
    ...createLinkWrites(send),
    readSide: createSideReads({ send, pageLimit }),
    createComment: createComments(send),
    readTranscript: createReadTranscript(send, { api: new URL(options.baseUrl), userAgent }),
    delete: createDelete(bulk),
    capabilitiesOf: () => CAPABILITIES,
    get limits() {
      return {
        pageSize: pageLimit.size,
        batchSizeOf: (object: string) => batchLimits.of(object).size,
        writesAtOnce: WRITES_AT_ONCE,
      };
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
