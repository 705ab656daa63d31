import type { Fields } from '../kernel/fields.ts';
import { type Random, seededRandom, uuid } from '../kernel/random.ts';
import type { ContactAttribute, CrmAttribute, RecordAttribute } from './attributes.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createLinks, type Links } from './links.ts';
import { createShelf, type Shelf, type Shelved } from './shelf.ts';
import { defaultSwitches, type Switches } from './switches.ts';

/** By what a contact can be named; each is unique. */
export type IdentifierKind = 'email' | 'ext_id' | 'SMS' | 'WHATSAPP' | 'LANDLINE_NUMBER';

export interface Contact extends Shelved {
  readonly id: number;
  readonly email: string | null;
  /** By name, `SMS` and `EXT_ID` among them; those without a value left out. */
  readonly attributes: Fields;
  readonly emailBlacklisted: boolean;
  readonly smsBlacklisted: boolean;
  readonly listIds: readonly number[];
}

export interface ContactList {
  readonly id: number;
  name: string;
  folderId: number;
  readonly createdMs: number;
}

/** A company or a deal. */
export interface CrmItem extends Shelved {
  readonly id: string;
  readonly attributes: Fields;
  /** Of a deal: when it came to its stage. */
  readonly stageMs: number;
}

export type CrmKind = 'companies' | 'deals';

export interface CrmState {
  readonly kind: CrmKind;
  readonly attributes: CrmAttribute[];
  readonly shelf: Shelf<string, CrmItem>;
}

export interface Pipeline {
  readonly id: string;
  name: string;
  readonly stages: { readonly id: string; name: string }[];
}

/** A record of a custom object. */
export interface ObjectRecord extends Shelved {
  readonly id: number;
  readonly extId: string | null;
  readonly attributes: Fields;
}

export interface CustomObject {
  readonly type: string;
  readonly attributes: RecordAttribute[];
  /** The attribute by which the app lists its records; without one they cannot be listed. */
  primary: string | null;
  /** Types that its records can be associated with. */
  readonly associations: Set<string>;
  readonly shelf: Shelf<number, ObjectRecord>;
  readonly byExtId: Map<string, number>;
  /** Deleted records by their `ext_id`. */
  readonly deleted: Map<string, ObjectRecord>;
  nextId: number;
}

export interface Webhook {
  readonly id: number;
  readonly createdMs: number;
  modifiedMs: number;
  settings: Fields;
}

/** What the account is, and what its owner has paid for. */
export interface Account {
  readonly organizationId: string;
  readonly userId: number;
  plan: 'enterprise' | 'professional' | 'starter';
  /** Whether there are any left; without them writes of contacts are answered 402. */
  credits: boolean;
}

/** The whole state of the emulated workspace. */
export interface Workspace {
  readonly account: Account;
  readonly switches: Switches;
  readonly random: Random;
  readonly contactAttributes: ContactAttribute[];
  readonly contacts: Shelf<number, Contact>;
  /** Who has an identifier, in its normal form. */
  readonly identifiers: Readonly<Record<IdentifierKind, Map<string, number>>>;
  readonly lists: Map<number, ContactList>;
  readonly crm: Readonly<Record<CrmKind, CrmState>>;
  readonly pipelines: Pipeline[];
  readonly objects: Map<string, CustomObject>;
  readonly links: Links;
  readonly jobs: Jobs;
  readonly webhooks: Map<number, Webhook>;
  /** Epoch milliseconds by the workspace's own clock, skew included. */
  now(): number;
  /** Of contacts, lists and whatever else is counted. */
  nextNumber(of: string): number;
  /** Position in the order of creation. */
  nextOrder(): number;
  /** 24 hexadecimal digits. */
  newHexId(): string;
}

export interface WorkspaceOptions {
  readonly seed: string;
  readonly clock: () => number;
  readonly switches?: Partial<Switches> | undefined;
}

export function createWorkspace({ seed, clock, switches: given }: WorkspaceOptions): Workspace {
  const switches = { ...defaultSwitches(), ...given };
  const now = (): number => Math.floor(clock() + switches.clockSkewMs);
  const random = seededRandom(`${seed} runtime`);
  const made = seededRandom(`${seed} workspace`);
  const ids = seededRandom(`${seed} ids`);
  const deps = { switches, random, now };
  const counts = new Map<string, number>();
  const nextNumber = (of: string): number => {
    const next = (counts.get(of) ?? 0) + 1;
    counts.set(of, next);
    return next;
  };
  const crm = (kind: CrmKind): CrmState => ({ kind, attributes: [], shelf: createShelf(deps) });
  return {
    account: {
      organizationId: uuid(made).replaceAll('-', '').slice(0, 24),
      userId: 1_000_000 + made.int(1_000_000),
      plan: 'enterprise',
      credits: true,
    },
    switches,
    random,
    contactAttributes: [],
    contacts: createShelf(deps),
    identifiers: {
      email: new Map(),
      ext_id: new Map(),
      SMS: new Map(),
      WHATSAPP: new Map(),
      LANDLINE_NUMBER: new Map(),
    },
    lists: new Map(),
    crm: { companies: crm('companies'), deals: crm('deals') },
    pipelines: [],
    objects: new Map(),
    links: createLinks(deps),
    jobs: createJobs(deps, () => nextNumber('jobs')),
    webhooks: new Map(),
    now,
    nextNumber,
    nextOrder: () => nextNumber('order'),
    newHexId: () => `66${uuid(ids).replaceAll('-', '').slice(0, 22)}`,
  };
}

/** An object of which nothing is there yet. */
export function createObject(
  { switches, random, now }: Workspace,
  given: Pick<CustomObject, 'type' | 'attributes' | 'primary' | 'associations'>,
): CustomObject {
  const shelf = createShelf<number, ObjectRecord>({ switches, random, now });
  return { ...given, shelf, byExtId: new Map(), deleted: new Map(), nextId: 1 };
}
