import type { Json } from '../../domain/json.ts';
import { type Fields, isList, isObject } from '../kernel/fields.ts';
import { refuse } from './api-error.ts';
import { type Attribute, type AttributeType, type StoredValue, textOf } from './attribute.ts';
import { coarsened, parseInstant } from './instants.ts';
import {
  findAttribute,
  type ObjectState,
  objectState,
  type StoredRecord,
  type Workspace,
} from './workspace.ts';

export type Test = (record: StoredRecord) => boolean;

/** The field of a value that is compared where none is named. */
export const MAIN: Readonly<Record<AttributeType, string>> = {
  text: 'value',
  number: 'value',
  checkbox: 'value',
  rating: 'value',
  date: 'value',
  timestamp: 'value',
  currency: 'currency_value',
  select: 'option',
  status: 'status',
  'email-address': 'email_address',
  domain: 'domain',
  'phone-number': 'phone_number',
  'personal-name': 'full_name',
  location: 'locality',
  'record-reference': 'target_record_id',
  'actor-reference': 'referenced_actor_id',
  interaction: 'interacted_at',
};

/** @throws ApiError 400 */
export function readFilter(workspace: Workspace, state: ObjectState, filter: Json): Test {
  if (!isObject(filter)) throw wrongFilter('A filter is an object.');
  if ('path' in filter) return throughPath(workspace, state, filter);
  const tests = Object.entries(filter).map(([name, condition]): Test => {
    switch (name) {
      case '$and':
      case '$or': {
        if (!isList(condition)) throw wrongFilter(`${name} takes a list.`);
        const parts = condition.map((each) => readFilter(workspace, state, each));
        return name === '$and'
          ? (record) => parts.every((test) => test(record))
          : (record) => parts.some((test) => test(record));
      }
      case '$not': {
        // It takes an attribute, and no $or in it.
        if (!isObject(condition) || Object.keys(condition).some((key) => key.startsWith('$'))) {
          throw wrongFilter('$not takes an attribute.');
        }
        const test = readFilter(workspace, state, condition);
        return (record) => !test(record);
      }
      default:
        return attributeTest(workspace, state, name, condition);
    }
  });
  return (record) => tests.every((test) => test(record));
}

export function wrongFilter(message: string, code = 'filter_error') {
  return refuse(400, code, message);
}

/** @throws ApiError 400 `unknown_filter_attribute_slug` */
export function filtered(state: ObjectState, name: string): Attribute {
  const attribute = findAttribute(state, name);
  if (attribute === null || attribute.archived)
    throw wrongFilter(`Unknown attribute slug: ${name}`, 'unknown_filter_attribute_slug');
  return attribute;
}

type ValueTest = (value: StoredValue) => boolean;

function attributeTest(
  workspace: Workspace,
  state: ObjectState,
  name: string,
  condition: Json,
): Test {
  const attribute = filtered(state, name);
  const held = ({ values }: StoredRecord): readonly StoredValue[] => values.get(attribute.id) ?? [];
  if (!isObject(condition)) {
    const test = compare(workspace, attribute, MAIN[attribute.type], '$eq', condition);
    return (record) => held(record).some(test);
  }
  const { $not_empty: notEmpty, ...rest } = condition;
  const tests: ValueTest[] = [];
  for (const [key, wanted] of Object.entries(rest)) {
    if (key.startsWith('$')) {
      tests.push(compare(workspace, attribute, MAIN[attribute.type], key, wanted));
      continue;
    }
    const operators = isObject(wanted) ? Object.entries(wanted) : [['$eq', wanted] as const];
    for (const [operator, value] of operators) {
      tests.push(compare(workspace, attribute, fieldNamed(attribute, key), operator, value));
    }
  }
  const emptiness: Test =
    notEmpty === undefined
      ? () => true
      : (record) => held(record).length > 0 === (notEmpty === true);
  if (tests.length === 0) return emptiness;
  return (record) =>
    emptiness(record) && held(record).some((value) => tests.every((test) => test(value)));
}

/** Fields of a value that can be compared beside the main one. */
const FIELDS: Readonly<Partial<Record<AttributeType, readonly string[]>>> = {
  'email-address': ['email_address', 'email_domain', 'email_root_domain', 'email_local_specifier'],
  domain: ['domain', 'root_domain'],
  'phone-number': ['phone_number', 'country_code'],
  'personal-name': ['first_name', 'last_name', 'full_name'],
  currency: ['currency_value'],
  'record-reference': ['target_object', 'target_record_id'],
  'actor-reference': ['referenced_actor_type', 'referenced_actor_id'],
  status: ['status', 'active_from'],
  select: ['option'],
  location: ['locality', 'region', 'postcode', 'country_code', 'line_1'],
  interaction: ['interaction_type', 'interacted_at'],
};

function fieldNamed({ type, slug }: Attribute, name: string): string {
  const known = FIELDS[type] ?? ['value'];
  if (known.includes(name)) return name;
  throw wrongFilter(`Unknown field "${name}" of attribute "${slug}".`, 'invalid_filter_field');
}

const EQUALITY = ['$eq', '$in'];
const ORDER = ['$lt', '$lte', '$gt', '$gte'];
const TEXT = ['$contains', '$starts_with', '$ends_with'];
const ORDERED: readonly AttributeType[] = [
  'number',
  'rating',
  'currency',
  'date',
  'timestamp',
  'interaction',
];
const UNTEXTED: readonly AttributeType[] = [...ORDERED, 'checkbox', 'select', 'record-reference'];

/** @throws ApiError 400 `invalid_filter_operator` */
function compare(
  workspace: Workspace,
  attribute: Attribute,
  field: string,
  operator: string,
  wanted: Json,
): ValueTest {
  const { type } = attribute;
  const isTime = type === 'timestamp' || field === 'active_from' || field === 'interacted_at';
  const takes =
    field === 'active_from'
      ? ORDER
      : type === 'status'
        ? ['$eq']
        : [
            ...EQUALITY,
            ...(ORDERED.includes(type) ? ORDER : []),
            ...(UNTEXTED.includes(type) ? [] : TEXT),
          ];
  if (!takes.includes(operator)) {
    const message = `Invalid operator "${operator}" for attribute "${attribute.slug}".`;
    throw wrongFilter(message, 'invalid_filter_operator');
  }
  const wantedList = operator === '$in' ? (isList(wanted) ? wanted : null) : [wanted];
  if (wantedList === null) throw wrongFilter('$in takes a list.');
  const keys = wantedList.map((each) =>
    field === 'target_object'
      ? objectState(workspace, typeof each === 'string' ? each : '').id
      : wantedKey(workspace, attribute, each, isTime),
  );
  const [first = null] = keys;
  return ({ data, from }) => {
    const key = heldKey(workspace, attribute, field === 'active_from' ? from : data[field], isTime);
    switch (operator) {
      case '$eq':
      case '$in':
        return keys.includes(key);
      case '$contains':
        return String(key).toLowerCase().includes(String(first).toLowerCase());
      case '$starts_with':
        return String(key).toLowerCase().startsWith(String(first).toLowerCase());
      case '$ends_with':
        return String(key).toLowerCase().endsWith(String(first).toLowerCase());
      default:
        return key !== null && first !== null && inOrder(operator, key, first);
    }
  };
}

type Key = string | number | boolean | null;

function inOrder(operator: string, key: Key, wanted: Key): boolean {
  if (typeof key !== typeof wanted || key === null || wanted === null) return false;
  if (operator === '$lt') return key < wanted;
  if (operator === '$lte') return key <= wanted;
  return operator === '$gt' ? key > wanted : key >= wanted;
}

function heldKey(
  { switches }: Workspace,
  { options }: Attribute,
  value: Json | undefined,
  isTime: boolean,
): Key {
  if (typeof value === 'string') {
    if (isTime) return coarsened(value, switches);
    return options.find(({ id }) => id === value)?.title ?? value;
  }
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function wantedKey(
  { switches }: Workspace,
  { options, slug }: Attribute,
  value: Json,
  isTime: boolean,
): Key {
  if (isTime) {
    const instant = typeof value === 'string' ? parseInstant(value) : null;
    if (instant === null) throw wrongFilter(`"${slug}" is compared with a time.`);
    return coarsened(instant, switches);
  }
  if (typeof value === 'string') return options.find(({ id }) => id === value)?.title ?? value;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  throw wrongFilter(`"${slug}" cannot be compared with that.`);
}

/** `{path: [[object, attribute], …], constraints}`: of the records that references lead to. */
function throughPath(workspace: Workspace, state: ObjectState, filter: Fields): Test {
  const { path, constraints = {} } = filter;
  const steps = readSteps(path ?? null);
  const [first, ...rest] = steps;
  if (first === undefined) throw wrongFilter('A path has a step.');
  if (objectState(workspace, first.object).id !== state.id)
    throw wrongFilter('A path begins with the object that is asked for.');
  if (rest.length === 0) return attributeTest(workspace, state, first.attribute, constraints);
  const attribute = filtered(state, first.attribute);
  const [second] = rest;
  const target = objectState(workspace, second?.object ?? '');
  const test = throughPath(workspace, target, {
    path: rest.map((step) => [step.object, step.attribute]),
    constraints,
  });
  return ({ values }) =>
    (values.get(attribute.id) ?? []).some(({ data }) => {
      const found = target.listed.get(textOf(data, 'target_record_id'));
      return found !== undefined && test(found);
    });
}

/** @throws ApiError 400 */
export function readSteps(path: Json): { readonly object: string; readonly attribute: string }[] {
  if (!isList(path)) throw wrongFilter('A path is a list.');
  return path.map((step) => {
    const [object, attribute] = isList(step) ? step : [];
    if (typeof object !== 'string' || typeof attribute !== 'string')
      throw wrongFilter('A step of a path is an object and an attribute.');
    return { object, attribute };
  });
}
