import type { Json } from '../domain/json.ts';
import { type Fields, fieldOf } from './stored-record.ts';

export interface Difference {
  readonly op: 'add' | 'replace' | 'remove';
  /** `/job_title`, or `/name/first_name` inside a value object. */
  readonly path: string;
  readonly val: Json;
  readonly oldVal: Json;
}

export interface Activity {
  readonly type: `clarify:${'create' | 'update' | 'merge' | 'delete' | 'set-relationship'}`;
  readonly actor: string;
  readonly atMs: number;
  readonly diff: readonly Difference[];
}

/** What happened to each record since the start, newest last. */
export interface History {
  add(object: string, id: string, activity: Activity): void;
  of(object: string, id: string): readonly Activity[];
}

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

/** Which fields differ; parts of value objects are told one by one, collections as a whole. */
export function differences(before: Fields, after: Fields, path = ''): Difference[] {
  const found: Difference[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [oldVal, val] = [fieldOf(before, name), fieldOf(after, name)];
    if (JSON.stringify(oldVal) === JSON.stringify(val)) continue;
    const here = `${path}/${name}`;
    if (path === '' && isValueObject(oldVal) && isValueObject(val)) {
      found.push(...differences(oldVal, val, here));
      continue;
    }
    const op = oldVal === null ? 'add' : val === null ? 'remove' : 'replace';
    found.push({ op, path: here, val, oldVal });
  }
  return found;
}

function isValueObject(value: Json): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !('items' in value)
  );
}
