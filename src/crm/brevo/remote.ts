import { RemoteError } from '../../domain/errors.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { ObjectEntries, OpenRemote, SettingNames } from '../adapter.ts';
import { type ConnectionOptions, openConnection } from '../wire/connection.ts';
import { keyCredentials } from '../wire/credentials.ts';
import { createFreshReads } from '../wire/fresh-reads.ts';
import { gone, isWithheld } from '../wire/refusals.ts';
import { accountCall } from './account.ts';
import { brevoApi } from './api.ts';
import { createPlan } from './budget.ts';
import { CONTACT_CAPABILITIES, crmCapabilities, customCapabilities } from './capabilities.ts';
import { createClearingForms } from './clearing.ts';
import { createContactWrites } from './contact-writes.ts';
import { createContactReads } from './contacts.ts';
import { createCrmPageLimit, createCrmReads } from './crm-reads.ts';
import { createCrmWrites } from './crm-writes.ts';
import { createJobs, JOB_BYTES, MOST_LINKS, MOST_RECORDS } from './custom-jobs.ts';
import { type CustomReads, createCustomReads } from './custom-reads.ts';
import { type Declared, declaredObjects } from './declared.ts';
import { type AttributeMap, readContactAttributes, readCrmAttributes } from './discover.ts';
import { contactsSchema, crmSchema, customSchema } from './fields.ts';
import { createInNewestOptions } from './newest-options.ts';
import { VARIABLES } from './settings.ts';
import { createStages } from './stages.ts';
import { COMPANIES, CONTACTS, type CrmObject, DEALS } from './standard.ts';
import { TITLE } from './title.ts';

export interface BrevoRemoteOptions extends Omit<ConnectionOptions, 'credentials'> {
  /** Such as `https://api.brevo.com/v3`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** What the configuration says of objects: custom ones are declared there. */
  readonly objects?: ObjectEntries | undefined;
  /** What the settings are called, for hints; default their variables. */
  readonly names?: SettingNames | undefined;
}

/** With what other CRMs may lack. */
export type BrevoRemote = OpenRemote &
  Required<Pick<Remote, 'readRecords' | 'findRecords' | 'jobs'>>;

/** Ten a second are allowed, and each is followed by a look. */
const WRITES_AT_ONCE = 4;
const PAGE_RECORDS = 1_000;
const CRM_OBJECTS: readonly CrmObject[] = [COMPANIES, DEALS];

type Shelf = Pick<
  Remote,
  | 'readPage'
  | 'readRecord'
  | 'readLinks'
  | 'create'
  | 'update'
  | 'delete'
  | 'setLinks'
  | 'removeLinks'
> &
  Partial<Pick<Remote, 'readRecords' | 'findRecords'>>;

/**
 * A Brevo account over HTTP. Errors are `RemoteError`s with the codes of `docs/errors.md`; a call
 * given up by its signal throws the signal's reason, or `remote-interrupted` (ambiguous) where a
 * write may have arrived.
 */
export function createBrevoRemote(options: BrevoRemoteOptions): BrevoRemote {
  const { apiKey, baseUrl, objects = {}, names = VARIABLES, allowancePercent } = options;
  const connection = openConnection(brevoApi(baseUrl, names), {
    ...options,
    credentials: keyCredentials(apiKey, { 'api-key': apiKey }),
  });
  const { send } = connection;
  const plan = createPlan(() => connection.stats(), allowancePercent);
  const declared = declaredObjects(objects);
  const clearing = createClearingForms();
  const stages = createStages(send);
  const attributeReads = createFreshReads<AttributeMap | null>();
  const crmPageLimit = createCrmPageLimit();
  let contacts: AttributeMap | null = null;
  const crm = new Map<CrmObject, AttributeMap | null>();
  let crmReadAtMs = Number.NEGATIVE_INFINITY;
  /** Objects whose attributes were refused when they were last read. */
  const undescribed = new Map<string, RemoteError>();
  let workspace: string | null = null;

  const shelves = new Map<string, Shelf>([[CONTACTS, contactShelf()]]);
  for (const object of CRM_OBJECTS) shelves.set(object, crmShelf(object));
  const customReads = new Map<string, CustomReads>();
  for (const one of declared.values()) {
    const reads = createCustomReads({ send, declared: one });
    customReads.set(one.object, reads);
    shelves.set(one.object, { ...reads, ...WRITTEN_BY_JOBS });
  }

  function contactShelf(): Shelf {
    const attributes = () => contacts ?? new Map();
    const reads = createContactReads({ send, attributes });
    const inNewest = createInNewestOptions(async (call) => {
      contacts = await attributeReads.read(CONTACTS, call, () =>
        readContactAttributes(send, readingOf(call)),
      );
    });
    const writes = createContactWrites({ send, attributes, reads, clearing, inNewest });
    return { ...reads, ...writes, ...WITHOUT_LINKS };
  }

  function crmShelf(object: CrmObject): Shelf {
    const attributes = () => crm.get(object) ?? new Map();
    const deps = { send, object, attributes, pageLimit: crmPageLimit };
    const reads = createCrmReads(deps);
    const inNewest = createInNewestOptions(async (call) => {
      const read = () => readCrmAttributes(send, object, readingOf(call));
      const found = await attributeReads.read(object, call, read);
      if (found !== null) crm.set(object, found);
    });
    const writes = createCrmWrites({ ...deps, reads, clearing, stages, inNewest });
    return { ...reads, ...writes };
  }

  /**
   * How an object is read and written, once its attributes are known: a service may go on with the
   * schema on record where they could not be had at its start, and values mean nothing without them.
   */
  async function shelfOf(
    { object }: Pick<ObjectSchema, 'object'>,
    call: CallOptions,
  ): Promise<Shelf> {
    const shelf = shelves.get(object);
    if (shelf === undefined) throw gone({ object });
    if (object === CONTACTS && contacts === null) {
      contacts = await readContactAttributes(send, readingOf(call));
    }
    const isUnknown = () => CRM_OBJECTS.some((one) => one === object && !crm.has(one));
    if (isUnknown()) await readCrmSchemas(readingOf(call));
    const refusal = undescribed.get(object);
    if (refusal !== undefined && isUnknown()) throw refusal;
    return shelf;
  }

  function declaredOf(object: string): Declared {
    const found = declared.get(object);
    if (found === undefined) throw gone({ object });
    return found;
  }

  function customOf(object: string): CustomReads {
    const found = customReads.get(object);
    if (found === undefined) throw gone({ object });
    return found;
  }

  /** They come out of the small budget, and change rarely. */
  async function readCrmSchemas(call: CallOptions): Promise<void> {
    const everyMs = plan.schemaEveryMs(CRM_OBJECTS.length);
    if (performance.now() - crmReadAtMs < everyMs) return;
    for (const object of CRM_OBJECTS) {
      await describe(object, async () => {
        crm.set(object, await readCrmAttributes(send, object, call));
      });
    }
    crmReadAtMs = performance.now();
  }

  /** Reads the attributes of one object; that they are refused is its own trouble (invariant 10). */
  async function describe(object: string, read: () => Promise<void>): Promise<void> {
    try {
      await read();
      undescribed.delete(object);
    } catch (error) {
      if (!isWithheld(error)) throw error;
      undescribed.set(object, error);
    }
  }

  return {
    title: TITLE,
    get workspace() {
      return workspace;
    },
    undescribed,
    async discover(call) {
      if (workspace === null) {
        const { organizationId } = await send(accountCall, call);
        workspace = `brevo:${organizationId}`;
      }
      await describe(CONTACTS, async () => {
        contacts = await readContactAttributes(send, call);
      });
      await readCrmSchemas(call);
      const found = [
        ...(contacts === null ? [] : [contactsSchema([...contacts.values()])]),
        ...CRM_OBJECTS.flatMap((object) => {
          const attributes = crm.get(object);
          return attributes ? [crmSchema(object, [...attributes.values()])] : [];
        }),
        ...[...declared.values()].map(customSchema),
      ];
      const [refusal] = undescribed.values();
      if (refusal !== undefined && found.length === 0) throw refusal;
      return found;
    },
    readPage: async (request, call) =>
      (await shelfOf(request.object, call)).readPage(request, call),
    readRecord: async (request, call) =>
      (await shelfOf(request.object, call)).readRecord(request, call),
    async readRecords(request, call) {
      const shelf = await shelfOf(request.object, call);
      if (shelf.readRecords !== undefined) return await shelf.readRecords(request, call);
      const { object } = request;
      const records = [];
      for (const id of request.ids) {
        const record = await shelf.readRecord({ object, id }, call);
        if (record !== null) records.push(record);
      }
      return records;
    },
    async findRecords(request, call) {
      const shelf = await shelfOf(request.object, call);
      return (await shelf.findRecords?.(request, call)) ?? [];
    },
    readLinks: async (request, call) =>
      (await shelfOf(request.object, call)).readLinks(request, call),
    create: async (request, call) => (await shelfOf(request.object, call)).create(request, call),
    update: async (request, call) => (await shelfOf(request.object, call)).update(request, call),
    delete: async (request, call) => (await shelfOf(request.object, call)).delete(request, call),
    setLinks: async (request, call) =>
      (await shelfOf(request.object, call)).setLinks(request, call),
    removeLinks: async (request, call) =>
      (await shelfOf(request.object, call)).removeLinks(request, call),
    jobs: createJobs({ send, declared: declaredOf, reads: customOf }),
    capabilitiesOf(object) {
      if (object === CONTACTS) return CONTACT_CAPABILITIES;
      const reads = customReads.get(object);
      if (reads === undefined) return crmCapabilities(plan);
      return customCapabilities(plan, { pages: reads.pages, declared });
    },
    limits: {
      pageSize: PAGE_RECORDS,
      batchSizeOf: () => MOST_RECORDS,
      jobBytes: JOB_BYTES,
      jobLinks: MOST_LINKS,
      writesAtOnce: WRITES_AT_ONCE,
    },
    get clock() {
      return connection.serverClock;
    },
    stop: connection.stop,
    stats: connection.stats,
    budgets: connection.budgets,
    watch: connection.watch,
    watchHolds: connection.watchHolds,
  };
}

/** A read of what a write needs has its own time. */
function readingOf({ priority, signal }: CallOptions): CallOptions {
  return { priority, signal };
}

function never(what: string): () => Promise<never> {
  return () =>
    Promise.reject(
      new RemoteError(`${what} in Brevo`, {
        code: 'remote-invalid',
        disposition: 'park',
        status: null,
      }),
    );
}

const WITHOUT_LINKS: Pick<Remote, 'setLinks' | 'removeLinks'> = {
  setLinks: never('contacts are linked from their other ends'),
  removeLinks: never('contacts are linked from their other ends'),
};

const WRITTEN_BY_JOBS: Pick<Remote, 'create' | 'update' | 'delete' | 'setLinks' | 'removeLinks'> = {
  create: never('custom objects are written by jobs'),
  update: never('custom objects are written by jobs'),
  delete: never('custom objects are written by jobs'),
  setLinks: never('custom objects are written by jobs'),
  removeLinks: never('custom objects are written by jobs'),
};
