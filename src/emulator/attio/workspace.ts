import { pick, type Random, seededRandom, uuid } from '../kernel/random.ts';
import { notFound, valueNotFound } from './api-error.ts';
import type { Attribute, StoredValue } from './attribute.ts';
import { createStamper, type Instant } from './instants.ts';
import { createScoreWindow, type ScoreWindow } from './score.ts';
import { defaultSwitches, type Switches } from './switches.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

/** One version of a record; a write makes a new one. */
export interface StoredRecord {
  readonly id: string;
  /** Position in the order of creation; tells records of one instant apart. */
  readonly order: number;
  /** Not the attribute of that name. */
  readonly createdAt: Instant;
  /** By attribute id; none where there is no value. */
  readonly values: ReadonlyMap<string, readonly StoredValue[]>;
}

/** All that is known of one object, with what writes keep up to date. */
export interface ObjectState {
  readonly id: string;
  slug: string | null;
  singular: string;
  plural: string;
  readonly createdAt: Instant;
  /** In the order of the app. */
  readonly attributes: Attribute[];
  readonly records: Map<string, StoredRecord>;
  /** As queries show them. */
  readonly listed: Map<string, StoredRecord>;
  /** What queries will show, in the order in which they do. */
  readonly waiting: { readonly showAtMs: number; readonly id: string }[];
  /** Values that ended, oldest first, by record and attribute. */
  readonly past: Map<string, Map<string, StoredValue[]>>;
  /** Unique attribute → key → ids of the records that have it. */
  readonly unique: Map<string, Map<string, Set<string>>>;
  /** Records that the token may not see. */
  readonly hidden: Map<string, StoredRecord>;
  /** Being merged, and so neither read nor written. */
  readonly merging: Set<string>;
  nextOrder: number;
  /** How often `listed` has changed. */
  changes: number;
  queries: number;
  /** The last order that was asked for, while nothing changes. */
  sorted: { readonly key: string; readonly changes: number; readonly list: StoredRecord[] } | null;
}

export interface Member {
  readonly id: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly createdAt: Instant;
}

/** The whole state of the emulated workspace. */
export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  /** Actor of what is written with it. */
  readonly tokenId: string;
  readonly scopes: Set<string>;
  readonly switches: Switches;
  /** In the order of the app. */
  readonly objects: ObjectState[];
  readonly members: readonly Member[];
  readonly webhooks: Webhooks;
  readonly scores: ScoreWindow;
  readonly random: Random;
  /** Epoch milliseconds by the workspace's own clock, skew included. */
  now(): number;
  /** The instant to give to what is written now, or then. */
  stamp(atMs?: number): Instant;
  newId(): string;
  /** Does it once the clock says so, before anything else is asked or done. */
  later(atMs: number, run: () => void): void;
  /** Does what is due. */
  settle(): void;
}

export interface WorkspaceOptions {
  readonly seed: string;
  readonly clock: () => number;
  readonly switches?: Partial<Switches> | undefined;
  /** Real milliseconds, for what is allowed in so long a time. */
  readonly monotonicMs?: (() => number) | undefined;
}

const SCOPES = [
  'record_permission:read-write',
  'object_configuration:read',
  'user_management:read',
  'webhook:read-write',
];

export function createWorkspace({
  seed,
  clock,
  switches: given,
  monotonicMs,
}: WorkspaceOptions): Workspace {
  const switches = { ...defaultSwitches(), ...given };
  const now = (): number => Math.floor(clock() + switches.clockSkewMs);
  const random = seededRandom(`${seed} runtime`);
  const made = seededRandom(`${seed} workspace`);
  const due: { readonly atMs: number; readonly run: () => void }[] = [];
  const stamp = createStamper(now, switches);
  const joinedAt = stamp(Date.UTC(2025, 0, 7, 9));
  return {
    id: uuid(made),
    name: 'Demo',
    slug: 'demo',
    tokenId: uuid(made),
    scopes: new Set(SCOPES),
    switches,
    objects: [],
    members: [
      ['Kim', 'Keyes'],
      ['Sam', 'Sales'],
      ['Ola', 'Ops'],
    ].map(([firstName = '', lastName = '']) => ({
      id: uuid(made),
      firstName,
      lastName,
      email: `${firstName.toLowerCase()}@demo.example`,
      createdAt: joinedAt,
    })),
    webhooks: createWebhooks({ switches, random, newId: () => uuid(random) }),
    scores: createScoreWindow(monotonicMs),
    random,
    now,
    stamp,
    newId: () => uuid(random),
    later(atMs, run) {
      const position = due.findLastIndex((each) => each.atMs <= atMs);
      due.splice(position + 1, 0, { atMs, run });
    },
    settle() {
      while ((due[0]?.atMs ?? Number.POSITIVE_INFINITY) <= now()) due.shift()?.run();
    },
  };
}

/** By slug or id. @throws ApiError 404 */
export function objectState({ objects }: Workspace, name: string): ObjectState {
  const found = objects.find(({ id, slug }) => id === name || slug === name);
  if (found === undefined) throw notFound(`Could not find object with slug/ID "${name}".`);
  return found;
}

/** By slug or id, archived ones as well; null for none. */
export function findAttribute({ attributes }: ObjectState, name: string): Attribute | null {
  return attributes.find(({ id, slug }) => id === name || slug === name) ?? null;
}

/** @throws ApiError 400 `value_not_found` */
export function attributeOf(state: ObjectState, name: string): Attribute {
  const found = findAttribute(state, name);
  if (found === null || found.archived)
    throw valueNotFound(`Cannot find attribute with slug/ID "${name}".`);
  return found;
}

/** The newest version. @throws ApiError 404, also while it is being merged */
export function storedRecord(state: ObjectState, id: string): StoredRecord {
  const record = state.records.get(id);
  if (record === undefined) throw notFound(`Could not find record with ID "${id}".`);
  return record;
}

/** Somebody who works in the app. */
export function anyMember({ members, random }: Workspace): Member {
  return pick(random, members);
}
