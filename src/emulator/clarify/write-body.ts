import type { Json } from '../../domain/json.ts';
import { type Fields, isObject } from '../kernel/fields.ts';
import { invalid, type Problem, refuse } from './api-error.ts';
import type { Switches } from './switches.ts';

/** One record in a request, not yet checked against the object's fields. */
export interface WriteItem {
  readonly id: string | null;
  readonly attributes: Fields;
  /** Of the attributes: `/data/attributes` or `/data/3/attributes`. */
  readonly pointer: string;
}

export type FieldMeta = Readonly<Record<string, string>>;

export interface WriteBody {
  readonly items: readonly WriteItem[];
  readonly matchOn: string | null;
  /** How the fields named are changed, such as `{collection: 'append'}`. */
  readonly meta: ReadonlyMap<string, FieldMeta>;
}

export interface BodyRules {
  readonly object: string;
  readonly bulk: boolean;
  /** Whether items name existing records, or must not name any. */
  readonly ids: 'required' | 'refused' | 'optional';
  /** Top-level keys beside `data`. */
  readonly keys: readonly string[];
  readonly switches: Switches;
}

/** @throws ApiError 400, 422 */
export function readWriteBody(body: unknown, rules: BodyRules): WriteBody {
  if (!isObject(body)) throw refuse(400, 'The body must be a JSON object');
  const { data } = body;
  const problems: Problem[] = [];
  checkKeys(body, ['data', ...rules.keys], rules.switches, problems);
  const items: WriteItem[] = [];
  if (rules.bulk) {
    if (!Array.isArray(data)) throw invalid([{ pointer: '/data', message: 'must be array' }]);
    checkBulkSize(data.length, rules.switches);
    const list: readonly Json[] = data;
    for (const [index, item] of list.entries()) {
      items.push(readItem(item, `/data/${index}`, rules, problems));
    }
  } else {
    items.push(readItem(data, '/data', rules, problems));
  }
  if (problems.length > 0) throw invalid(problems);
  return { items, matchOn: readMatchOn(body, rules), meta: readMeta(body, rules) };
}

/** @throws ApiError 422 where the switch does not ignore unknown keys */
export function checkKeys(
  body: Fields,
  known: readonly string[],
  switches: Switches,
  problems: Problem[],
): void {
  if (switches.ignoresUnknownTopLevelKeys) return;
  for (const key of Object.keys(body)) {
    if (!known.includes(key)) problems.push({ pointer: `/${key}`, message: 'unknown property' });
  }
}

/** @throws ApiError 422 */
export function checkBulkSize(count: number, { bulkRecordsMax }: Switches): void {
  if (bulkRecordsMax === 0 || count <= bulkRecordsMax) return;
  throw invalid([{ pointer: '/data', message: `must not have more than ${bulkRecordsMax} items` }]);
}

function readItem(
  item: Json | undefined,
  pointer: string,
  { object, ids }: BodyRules,
  problems: Problem[],
): WriteItem {
  const empty = { id: null, attributes: {}, pointer: `${pointer}/attributes` };
  if (!isObject(item)) {
    problems.push({ pointer, message: 'must be object' });
    return empty;
  }
  const { type, id, attributes, ...others } = item;
  for (const key of Object.keys(others)) {
    problems.push({ pointer: `${pointer}/${key}`, message: 'unknown property' });
  }
  if (type !== object) problems.push({ pointer: `${pointer}/type`, message: `must be ${object}` });
  if (ids === 'refused' && id !== undefined) {
    problems.push({ pointer: `${pointer}/id`, message: 'must not be given' });
  }
  if (ids === 'required' && typeof id !== 'string') {
    problems.push({ pointer: `${pointer}/id`, message: 'must be string' });
  }
  if (!isObject(attributes)) {
    problems.push({ pointer: `${pointer}/attributes`, message: 'must be object' });
    return empty;
  }
  return { ...empty, id: typeof id === 'string' ? id : null, attributes };
}

function readMatchOn(body: Fields, { keys }: BodyRules): string | null {
  const { match_on: matchOn = null } = body;
  if (!keys.includes('match_on') || matchOn === null) return null;
  if (typeof matchOn === 'string') return matchOn;
  throw invalid([{ pointer: '/match_on', message: 'must be string' }]);
}

const META: Readonly<Record<string, readonly string[]>> = {
  collection: ['append', 'remove', 'replace'],
  array: ['append'],
  object: ['merge'],
};

function readMeta(body: Fields, { keys }: BodyRules): Map<string, FieldMeta> {
  const { meta = null } = body;
  const found = new Map<string, FieldMeta>();
  if (!keys.includes('meta') || meta === null) return found;
  if (!isObject(meta)) throw invalid([{ pointer: '/meta', message: 'must be object' }]);
  for (const [field, how] of Object.entries(meta)) {
    const pointer = `/meta/${field}`;
    if (!isObject(how)) throw invalid([{ pointer, message: 'must be object' }]);
    const entries = Object.entries(how).map(([kind, mode]): [string, string] => {
      if (typeof mode === 'string' && META[kind]?.includes(mode) === true) return [kind, mode];
      throw invalid([{ pointer: `${pointer}/${kind}`, message: 'must be an allowed value' }]);
    });
    found.set(field, Object.fromEntries(entries));
  }
  return found;
}
