import type { Json } from '../../domain/json.ts';
import { type Fields, isList, isObject } from '../kernel/fields.ts';

/** One difference between two versions, as an activity tells it. */
export interface Difference {
  readonly op: 'add' | 'update' | 'delete';
  /** Keys of objects and indexes of lists, such as `['email_addresses', 'items', 1]`. */
  readonly path: readonly (string | number)[];
  readonly val?: Json;
  readonly oldVal?: Json;
}

/** A record named in an activity. */
export interface Reference {
  readonly entity: string;
  readonly id: string;
}

interface Happening {
  readonly actor: string;
  readonly atMs: number;
}

export type Activity =
  | (Happening & { readonly kind: 'create' | 'delete'; readonly data: Fields | null })
  | (Happening & { readonly kind: 'update'; readonly diff: readonly Difference[] })
  /** The record that vanished, and the one that took it over. */
  | (Happening & {
      readonly kind: 'merge';
      readonly origin: Reference;
      readonly target: Reference;
      readonly diff: readonly Difference[];
    })
  | (Happening & {
      readonly kind: 'set-relationship';
      readonly relationship: string;
      readonly refs: readonly Reference[];
    })
  | (Happening & { readonly kind: 'comment'; readonly comment: Reference });

/** An activity without who did it and when. */
export type Told = Untold<Activity>;
type Untold<A> = A extends Activity ? Omit<A, keyof Happening> : never;

/** What happened to each record since the start, newest last. */
export interface History {
  add(object: string, id: string, activity: Activity): void;
  of(object: string, id: string): readonly Activity[];
}

/** Changes of an object's fields are filed under this, with the object's slug for an id. */
export const SCHEMA = 'schema';

const KEPT_PER_RECORD = 1000;

export function createHistory(): History {
  const byRecord = new Map<string, Activity[]>();
  return {
    add(object, id, activity) {
      const key = `${object}/${id}`;
      const known = byRecord.get(key);
      if (known === undefined) {
        byRecord.set(key, [activity]);
        return;
      }
      known.push(activity);
      if (known.length > KEPT_PER_RECORD) known.shift();
    },
    of: (object, id) => byRecord.get(`${object}/${id}`) ?? [],
  };
}

/** What differs, as deep as it differs: into value objects, collections and lists. */
export function differences(
  before: Json,
  after: Json,
  path: readonly (string | number)[] = [],
): Difference[] {
  if (before === after) return [];
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) =>
      differences(member(before, name), member(after, name), [...path, name]),
    );
  }
  if (isList(before) && isList(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) =>
      differences(before[index] ?? null, after[index] ?? null, [...path, index]),
    ).flat();
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (before === null) return [{ op: 'add', path, val: after }];
  if (after === null) return [{ op: 'delete', path, oldVal: before }];
  return [{ op: 'update', path, val: after, oldVal: before }];
}

function member(fields: Fields, name: string): Json {
  return Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
}
