import { largestPage } from './envelope.ts';
import type { Call, Deviation } from './exchange.ts';
import type { Kind, KnownField } from './field-book.ts';

/** Which parameters a list takes. What is not named here does not exist. */
export interface QueryRules {
  readonly paging?: boolean;
  /** The default page is open: a limit is always sent. */
  readonly limitRequired?: boolean;
  readonly sorting?: boolean;
  /** `records`: by field and operator; `deletions`: `_deleted_at` alone; else the names taken. */
  readonly filters?: 'records' | 'deletions' | readonly string[];
  readonly include?: boolean;
  /** A mutation takes `silent=true`. */
  readonly silent?: boolean;
  /** What `links.next` carries is the server's own. */
  readonly cursor?: boolean;
}

const dates = [
  'Is',
  'Is not',
  'Is before',
  'Is on or before',
  'Is after',
  'Is on or after',
  'Is empty',
  'Is not empty',
];
const numbers = ['Greater than', 'Greater than or equal', 'Less than', 'Less than or equal'];
const texts = ['Is', 'Is not', 'Contains', 'Does not contain', 'Starts with', 'Ends with'];
const collections = ['Contains', 'Does not contain'];
const ids = ['Is', 'Is not'];
const selects = ['One of', 'Not one of'];
const every = [...new Set([...dates, ...numbers, ...texts, ...collections, ...ids, ...selects])];

/** Of kinds that the page gives no operators of their own, whatever exists. */
const operators: Readonly<Record<Kind, readonly string[]>> = {
  date: dates,
  number: numbers,
  text: texts,
  collection: collections,
  'multi-select': collections,
  select: selects,
  'to-one': ids,
  'to-many': every,
  'rich-text': every,
  boolean: every,
  other: every,
};

/** By name, which is anybody's: of an object `toString` would be a kind as well. */
const systemKinds: ReadonlyMap<string, Kind> = new Map([
  ['_id', 'to-one'],
  ['_created_at', 'date'],
  ['_updated_at', 'date'],
  ['_deleted_at', 'number'],
]);

export function queryDeviations(rules: QueryRules, call: Call): Deviation[] {
  const found: Deviation[] = [];
  const names = [...call.query.keys()];
  for (const name of new Set(names)) {
    if (names.filter((each) => each === name).length > 1) {
      found.push({ at: place(name), what: 'is given twice' });
    }
    found.push(...parameter(rules, call, name, call.query.get(name) ?? ''));
  }
  if (rules.limitRequired && !call.query.has('page[limit]')) {
    found.push({ at: place('page[limit]'), what: 'is always sent: the default is open' });
  }
  if (call.query.has('sortOrder[column]') !== call.query.has('sortOrder[dir]')) {
    found.push({ at: place('sortOrder'), what: 'expected column and dir' });
  }
  return found;
}

function parameter(rules: QueryRules, call: Call, name: string, value: string): Deviation[] {
  const at = place(name);
  const whole = /^\d+$/.test(value);
  if (rules.paging && name === 'page[limit]')
    return whole ? limit(call, Number(value)) : [{ at, what: 'expected a whole number' }];
  if (rules.paging && name === 'page[offset]')
    return whole ? [] : [{ at, what: 'expected a whole number' }];
  if (rules.sorting && name === 'sortOrder[column]')
    return value ? [] : [{ at, what: 'names no column' }];
  if (rules.sorting && name === 'sortOrder[dir]') {
    return value === 'ASC' || value === 'DESC' ? [] : [{ at, what: 'expected ASC or DESC' }];
  }
  if (rules.silent && name === 'silent') {
    return value === 'true' ? [] : [{ at, what: 'expected true' }];
  }
  if (rules.include && name === 'include') return include(call, value);
  if (rules.filters && name.startsWith('filter[')) return filter(rules.filters, call, name);
  if (rules.cursor && /cursor|^page\[/.test(name)) return [];
  return [{ at, what: 'is not a parameter of this call' }];
}

function limit(call: Call, size: number): Deviation[] {
  const at = place('page[limit]');
  if (size === 0) return [{ at, what: 'expected at least 1' }];
  // In `classic` more is capped, not refused.
  if (call.dialect === 'classic' || size <= largestPage.current) return [];
  return [{ at, what: `is more than ${largestPage.current}`, refusedWith: [400] }];
}

function include(call: Call, value: string): Deviation[] {
  const at = place('include');
  const names = value.split(',');
  if (names.some((name) => name === '')) return [{ at, what: 'names nothing', refusedWith: [400] }];
  const fields = fieldsOf(call);
  return names
    .filter((name) => fields && !isLink(fields.get(name)))
    .map(() => ({ at, what: 'names no relationship field', refusedWith: [400] }));
}

const isLink = (field: KnownField | undefined) =>
  field?.kind === 'to-one' || field?.kind === 'to-many';

function filter(rule: QueryRules['filters'], call: Call, name: string): Deviation[] {
  const at = place(name);
  const parts = /^filter\[([^[\]]+)\](?:\[([^[\]]*)\])?$/.exec(name);
  const [, field, operator] = parts ?? [];
  if (field === undefined)
    return [{ at, what: 'expected filter[field] or filter[field][Operator]' }];
  if (Array.isArray(rule)) {
    const known = rule.includes(field) && operator === undefined;
    return known ? [] : [{ at, what: 'is not a filter of this call' }];
  }
  if (rule === 'deletions' && field !== '_deleted_at') {
    return [{ at, what: 'only _deleted_at is filterable here' }];
  }
  const kind = systemKinds.get(field) ?? fieldsOf(call)?.get(field)?.kind;
  if (operator === undefined) {
    // `Is` or `Contains`: open, so neither may be relied on.
    return kind === 'collection' || kind === 'multi-select'
      ? [{ at, what: 'a bare value on a collection is open' }]
      : [];
  }
  if (!every.includes(operator)) {
    return [{ at, what: 'is not an operator', refusedWith: [400] }];
  }
  if (kind && !operators[kind].includes(operator)) {
    return [{ at, what: `is not an operator of ${kind}`, refusedWith: [400] }];
  }
  return [];
}

const fieldsOf = (call: Call) => call.workspace.fields?.fields(call.params['object'] ?? '');
/** Names come from the client or the schema: they are no values. */
const place = (name: string) => `request.query.${name}`;
