import type { Json } from '../../domain/json.ts';
import { type Random, seededRandom, uuid } from '../kernel/random.ts';
import { notFound, refuse } from './api-error.ts';
import type { Access, Field } from './field.ts';
import { createStamper, type Instant, type ZoneClock, zoneClock } from './instants.ts';
import { defaultSwitches, type Switches } from './switches.ts';

/** One version of a record; a write makes a new one. */
export interface StoredRecord {
  readonly id: string;
  /** Position in the order of creation; tells records of one instant apart. */
  readonly order: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly archived: boolean;
  /** By field id; none where it is blank. */
  readonly values: ReadonlyMap<string, Json>;
}

export interface Stage {
  readonly id: string;
  name: string;
  readonly status: 'open' | 'won' | 'lost' | 'disqualified';
  readonly percentage: number;
}

/** All that is known of one object, with what writes keep up to date. */
export interface ObjectState {
  readonly id: string;
  /** The API name. */
  readonly name: string;
  plural: string;
  singular: string;
  readonly type: 'standard' | 'pipeline';
  readonly isContacts: boolean;
  readonly fields: Field[];
  /** Of a pipeline, in order; a new record is in the first. */
  readonly stages: Stage[];
  readonly access: Access;
  /** By which records are looked up: the e-mail of contacts, the name of all else. */
  readonly keyField: Field;
  /** Archived ones as well. */
  readonly records: Map<string, StoredRecord>;
  /** As searches show them. */
  readonly listed: Map<string, StoredRecord>;
  /** What searches will show, in the order in which they do. */
  readonly waiting: { readonly showAtMs: number; readonly id: string }[];
  /** Key in lower case → ids of the records that have it, archived ones as well. */
  readonly keys: Map<string, Set<string>>;
  /** Records that the key may not see. */
  readonly hidden: Set<string>;
  /** Until when a record is being written. */
  readonly lockedUntil: Map<string, number>;
  nextOrder: number;
  /** How often `listed` has changed. */
  changes: number;
  searches: number;
  /** The last order that was asked for, while nothing changes. */
  sorted: { readonly key: string; readonly changes: number; readonly list: StoredRecord[] } | null;
}

export interface Employee {
  readonly id: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  deleted: boolean;
}

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly size: number;
}

/** The whole state of the emulated business. */
export interface Business {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly clock: ZoneClock;
  readonly switches: Switches;
  /** In the order of the app. */
  readonly objects: ObjectState[];
  readonly employees: Employee[];
  readonly files: Map<string, StoredFile>;
  /** Bulk calls tell the user by mail, unless they are asked not to. */
  mails: number;
  readonly random: Random;
  /** Epoch milliseconds by the business's own clock, skew included. */
  now(): number;
  /** The instant to give to what is written now, or then. */
  stamp(atMs?: number): Instant;
  newId(): string;
  /** Does it once the clock says so, before anything else is asked or done. */
  later(atMs: number, run: () => void): void;
  /** Does what is due. */
  settle(): void;
}

export interface BusinessOptions {
  readonly seed: string;
  readonly clock: () => number;
  readonly switches?: Partial<Switches> | undefined;
}

const ZONE = 'America/Chicago';
const PEOPLE = [
  ['Kim', 'Keyes'],
  ['Sam', 'Sales'],
  ['Ola', 'Ops'],
] as const;

export function createBusiness({ seed, clock, switches: given }: BusinessOptions): Business {
  const switches = { ...defaultSwitches(), ...given };
  const now = (): number => Math.floor(clock() + switches.clockSkewMs);
  const random = seededRandom(`${seed} runtime`);
  const made = seededRandom(`${seed} business`);
  const due: { readonly atMs: number; readonly run: () => void }[] = [];
  return {
    id: uuid(made),
    name: 'Demo',
    zone: ZONE,
    clock: zoneClock(ZONE),
    switches,
    objects: [],
    employees: PEOPLE.map(([firstName, lastName]) => ({
      id: uuid(made),
      firstName,
      lastName,
      email: `${firstName.toLowerCase()}@demo.example`,
      deleted: false,
    })),
    files: new Map(
      ['contract.pdf', 'plan.xlsx', 'site.jpg'].map((name, index) => {
        const id = uuid(made);
        return [id, { id, name, size: 10_240 * (index + 1) }];
      }),
    ),
    mails: 0,
    random,
    now,
    stamp: createStamper(now),
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

/** By API name or id, also one that the key may not see. @throws ApiError 404 */
export function anyObject({ objects }: Business, name: string): ObjectState {
  const found = objects.find((each) => each.name === name || each.id === name);
  if (found === undefined) throw notFound();
  return found;
}

/** One that the key may see. @throws ApiError 404 */
export function objectState(business: Business, name: string): ObjectState {
  const found = anyObject(business, name);
  if (!found.access.view) throw notFound();
  return found;
}

/** By id alone. @throws ApiError 404 */
export function objectWithId(business: Business, id: string): ObjectState {
  const state = objectState(business, id);
  if (state.id !== id) throw notFound();
  return state;
}

/** By API name or id, as long as it is not deleted; null for none. */
export function findField({ fields }: ObjectState, name: string): Field | null {
  return fields.find((each) => !each.deleted && (each.id === name || each.name === name)) ?? null;
}

/** A default field, which can neither be deleted nor renamed. @throws Error for a defect */
export function defaultField(fields: readonly Field[], name: string): Field {
  const found = fields.find((each) => each.isDefault && each.name === name);
  if (found === undefined) throw new Error(`no default field ${name}`);
  return found;
}

/** Live, and not hidden from the key; null for none. */
export function findRecord({ records, hidden }: ObjectState, id: string): StoredRecord | null {
  const record = records.get(id);
  return record === undefined || record.archived || hidden.has(id) ? null : record;
}

/** @throws ApiError 404 */
export function liveRecord(state: ObjectState, id: string): StoredRecord {
  const record = findRecord(state, id);
  if (record === null) throw notFound();
  return record;
}

/** One to change. @throws ApiError 404, 409 while it is written, or once it is archived */
export function writableRecord(business: Business, state: ObjectState, id: string): StoredRecord {
  const { archivedWrites } = business.switches;
  if (archivedWrites === '409' && state.records.get(id)?.archived && !state.hidden.has(id)) {
    throw refuse(409, 'conflict', 'The record is archived.');
  }
  const record = liveRecord(state, id);
  lock(business, state, id);
  return record;
}

/** @throws ApiError 409 while another write has it */
export function lock({ switches, now }: Business, { lockedUntil }: ObjectState, id: string): void {
  if ((lockedUntil.get(id) ?? 0) > now()) {
    throw refuse(409, 'conflict', 'The record is being written by somebody else.');
  }
  if (switches.lockMs > 0) lockedUntil.set(id, now() + switches.lockMs);
}

export function textIn({ values }: StoredRecord, { id }: Field): string | null {
  const value = values.get(id);
  return typeof value === 'string' ? value : null;
}
