import type { Json } from '../../domain/json.ts';
import type { ApiError } from '../kernel/api-error.ts';
import { type Fields, isList, isObject } from '../kernel/fields.ts';
import { wrongKey } from './api-error.ts';
import { type Business, findField, type ObjectState, type StoredRecord } from './business.ts';
import { type Field, idsIn, isStage, kindOf, plainText } from './field.ts';
import { coarsened } from './instants.ts';
import { displayName } from './render.ts';

export type Test = (record: StoredRecord) => boolean;

interface Place {
  readonly business: Business;
  readonly state: ObjectState;
}

/** `{"query": [groups], "and"}`. @throws ApiError 400 */
export function readFilter(business: Business, state: ObjectState, body: Fields): Test {
  const { query, and } = body;
  if (query === undefined) return () => true;
  const place = { business, state };
  if (!isList(query)) throw wrong(place, 'Expected a list of groups.');
  const tests = query.map((group): Test => {
    if (!isObject(group) || typeof group['id'] !== 'string')
      throw wrong(place, 'A group has an id.');
    const filters = group['filters'] ?? null;
    if (!isList(filters)) throw wrong(place, 'A group has filters.');
    return all(
      filters.map((each) => readTest(place, each)),
      group['and'],
    );
  });
  return all(tests, and);
}

function all(tests: readonly Test[], and: Json | undefined): Test {
  if (tests.length === 0) return () => true;
  return and === false
    ? (record) => tests.some((test) => test(record))
    : (record) => tests.every((test) => test(record));
}

function wrong({ business }: Place, message: string): ApiError {
  return wrongKey(business.switches, 'query', message);
}

function readTest(place: Place, filter: Json): Test {
  if (!isObject(filter)) throw wrong(place, 'A filter is an object.');
  const { condition, value } = filter;
  const field = filteredField(place, filter);
  if (typeof condition !== 'string') throw wrong(place, 'A filter has a condition.');
  if (value === undefined || value === null) throw wrong(place, 'A filter has a value.');
  const isTime = field.isDefault && (field.name === 'created' || field.name === 'updated');
  if (isTime) return timeTest(place, timeOf(field), condition, value);
  const held = ({ values }: StoredRecord): Json => values.get(field.id) ?? null;
  if (condition === 'is_blank') {
    if (typeof value !== 'boolean') throw wrong(place, 'is_blank takes true or false.');
    return (record) => (held(record) === null) === value;
  }
  switch (kindOf(field, place.business.switches)) {
    case 'option':
    case 'options':
    case 'rating':
    case 'relation':
    case 'employee':
      return choiceTest(place, field, condition, value);
    case 'datetime':
      return timeTest(place, (record) => plainText(held(record) ?? ''), condition, value);
    case 'integer':
    case 'decimal':
    case 'date':
      return orderTest(place, held, condition, value);
    case 'boolean':
      if (condition !== '=' && condition !== '!=') throw unknownCondition(place, condition);
      return (record) => ((held(record) ?? false) === value) === (condition === '=');
    default:
      return textTest(place, textOf(place.state, field), condition, value);
  }
}

/** Default fields by name, the stage in a way of its own, custom ones by `"custom"::<uuid>`. */
function filteredField(place: Place, filter: Fields): Field {
  const { type, subtype, field: named, overwrite } = filter;
  const { state } = place;
  const name = typeof named === 'string' ? named : '';
  const custom = /^"custom"::(.+)$/.exec(name)?.[1];
  const field = findField(state, custom ?? name);
  const isKnown =
    field !== null && (custom === undefined ? field.name === name : field.id === custom);
  if (!isKnown || !field.access.view) throw wrong(place, `Unknown field ${name}.`);
  if (isStage(field)) {
    const isStaged =
      isObject(overwrite ?? null) && JSON.stringify(overwrite) === '{"type":"stage"}';
    if (type === 'fields_v2' && subtype === 'non_custom' && isStaged) return field;
    throw wrong(place, 'A stage is filtered by fields_v2, non_custom and an overwrite.');
  }
  const [asType, asSubtype] = field.isDefault ? ['fields', 'non_custom'] : ['fields_v2', 'custom'];
  if (type !== asType || subtype !== asSubtype || field.isDefault !== (custom === undefined)) {
    throw wrong(place, `The field ${field.name} is filtered by ${asType} and ${asSubtype}.`);
  }
  return field;
}

function timeOf({ name }: Field): (record: StoredRecord) => string {
  return name === 'created' ? ({ createdAt }) => createdAt : ({ updatedAt }) => updatedAt;
}

function unknownCondition(place: Place, condition: string): ApiError {
  return wrong(place, `Invalid condition ${condition}.`);
}

/** As finely as the server compares. */
function timeTest(
  place: Place,
  timeIn: (record: StoredRecord) => string,
  condition: string,
  value: Json,
): Test {
  const { clock, switches } = place.business;
  const read = (given: Json): string => {
    const instant = typeof given === 'string' ? clock.read(given) : null;
    if (instant === null) throw wrong(place, 'Datetime has wrong format.');
    return coarsened(instant, clock, switches);
  };
  const told = isList(value) ? value.map(read) : read(value);
  return orderTest(
    place,
    (record) => {
      const instant = timeIn(record);
      return instant === '' ? null : coarsened(instant, clock, switches);
    },
    condition,
    told,
  );
}

/** `= != < <= > >=`, and `between` two values, both included. */
function orderTest(
  place: Place,
  held: (record: StoredRecord) => Json,
  condition: string,
  value: Json,
): Test {
  if (condition === 'between') {
    const [low, high, ...more] = isList(value) ? value : [];
    if (low === undefined || high === undefined || more.length > 0) {
      throw wrong(place, 'between takes two values.');
    }
    return (record) => {
      const own = held(record);
      return own !== null && compare(own, low) >= 0 && compare(own, high) <= 0;
    };
  }
  if (isList(value)) throw wrong(place, `${condition} takes one value.`);
  const passes = ORDER[condition];
  if (passes === undefined) throw unknownCondition(place, condition);
  return (record) => {
    const own = held(record);
    return own === null ? condition === '!=' : passes(compare(own, value));
  };
}

const ORDER: Readonly<Record<string, (sign: number) => boolean>> = {
  '=': (sign) => sign === 0,
  '!=': (sign) => sign !== 0,
  '<': (sign) => sign < 0,
  '<=': (sign) => sign <= 0,
  '>': (sign) => sign > 0,
  '>=': (sign) => sign >= 0,
};

function compare(a: Json, b: Json): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return Number(a) - Number(b);
}

function textOf(state: ObjectState, field: Field): (record: StoredRecord) => string {
  const isName = field.isDefault && ['display_name', 'full_name'].includes(field.name);
  if (isName) return (record) => displayName(state, record) ?? '';
  return ({ values }) => plainText(values.get(field.id) ?? '');
}

function textTest(
  place: Place,
  text: (record: StoredRecord) => string,
  condition: string,
  value: Json,
): Test {
  if (typeof value !== 'string') throw wrong(place, 'A text is compared with a text.');
  const low = value.toLowerCase();
  switch (condition) {
    case '=':
      return (record) => text(record) === value;
    case '!=':
      return (record) => text(record) !== value;
    case 'contains':
      return (record) => text(record).toLowerCase().includes(low);
    case 'starts_with':
      return (record) => text(record).toLowerCase().startsWith(low);
    default:
      throw unknownCondition(place, condition);
  }
}

function choiceTest(place: Place, field: Field, condition: string, value: Json): Test {
  if (condition !== 'is_any_of' && condition !== 'is_none_of') {
    throw unknownCondition(place, condition);
  }
  if (!isList(value)) throw wrong(place, `${condition} takes a list of ids.`);
  const wanted = new Set(value.map(String));
  const held = ({ values }: StoredRecord): readonly string[] => {
    const own = values.get(field.id);
    if (typeof own !== 'number') return idsIn(own);
    return field.options.flatMap(({ id, code }) => (code === String(own) ? [id] : []));
  };
  return (record) => held(record).some((id) => wanted.has(id)) === (condition === 'is_any_of');
}
