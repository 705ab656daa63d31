import { isExactNumber, type Json } from '../../domain/json.ts';
import { isList, isObject } from '../kernel/fields.ts';
import { ValueProblem } from './api-error.ts';
import { type Business, findRecord, type ObjectState } from './business.ts';
import { type Field, type FieldOption, idsIn, isToOne, kindOf, plainText } from './field.ts';
import { isDay } from './instants.ts';
import { isEmail, isZone, phoneNumber } from './normal-forms.ts';

const TEXT_MAX = 255;
const INTEGER_MAX = 2_147_483_647;

/**
 * What a value becomes as it is kept; null for a blank one.
 *
 * @throws ValueProblem
 */
export function readValue(business: Business, field: Field, given: Json): Json {
  const { switches } = business;
  const kind = kindOf(field, switches);
  const isText = kind === 'text';
  if (given === null || (given === '' && isText)) return readBlank(business, field, given, isText);
  switch (kind) {
    case 'text':
      return readText(field, given);
    case 'integer': {
      if (typeof given !== 'number' || !Number.isInteger(given)) {
        throw new ValueProblem('A valid integer is required.');
      }
      if (given > INTEGER_MAX || given < -INTEGER_MAX - 1) {
        const bound = given > 0 ? `less than or equal to ${INTEGER_MAX}` : 'greater';
        throw new ValueProblem(`Ensure this value is ${bound}.`);
      }
      return given;
    }
    case 'decimal':
      if (typeof given === 'number' || isExactNumber(given)) return given;
      throw new ValueProblem('A valid number is required.');
    case 'rating':
      if (typeof given === 'number' && field.options.some(({ code }) => code === String(given))) {
        return given;
      }
      throw new ValueProblem(`"${plainText(given)}" is not a valid choice.`);
    case 'boolean':
      if (typeof given === 'boolean') return given;
      throw new ValueProblem('Must be a valid boolean.');
    case 'date':
      if (typeof given === 'string' && isDay(given)) return given;
      throw new ValueProblem('Date has wrong format. Use one of these formats: YYYY-MM-DD.');
    case 'datetime': {
      const instant = typeof given === 'string' ? business.clock.read(given) : null;
      if (instant !== null) return instant;
      throw new ValueProblem('Datetime has wrong format.');
    }
    case 'option':
      return readOption(field, given).id;
    case 'zone':
      if (typeof given === 'string' && isZone(given)) return given;
      throw new ValueProblem('A valid timezone is required.');
    case 'employee': {
      const found = business.employees.find(({ id }) => id === given);
      if (found !== undefined) return found.id;
      throw doesNotExist(given);
    }
    case 'options':
      return distinct(listOf(given).map((each) => readMember(business, field, each).id));
    case 'files':
      return distinct(listOf(given).map((each) => readFile(business, each)));
    case 'relation': {
      const isOne = field.relation !== null && isToOne(field.relation);
      const items = isOne ? [given] : listOf(given);
      return distinct(items.map((each) => readReference(business, field, each)));
    }
    case 'unknown':
      return given;
  }
}

/** `null` clears where nulls are allowed, `""` where empty texts are. @throws ValueProblem */
function readBlank(
  { switches }: Business,
  { allowsNulls, allowsEmpty }: Field,
  given: Json,
  isText: boolean,
): Json {
  const takesNull =
    isText && switches.clearing !== 'flags' ? switches.clearing === 'null' : allowsNulls;
  const takesEmpty = switches.clearing === 'flags' ? allowsEmpty : switches.clearing === 'empty';
  if (given === null && !takesNull) throw new ValueProblem('This field may not be null.');
  if (given === '' && !takesEmpty) throw new ValueProblem('This field may not be blank.');
  return null;
}

function readText({ type }: Field, given: Json): Json {
  if (typeof given !== 'string') throw new ValueProblem('Not a valid string.');
  const text = given.trim();
  if (type === 'phonenumber') {
    const number = phoneNumber(text);
    if (number === null) throw new ValueProblem('The phone number entered is not valid.');
    return number;
  }
  if (type === 'email' && !isEmail(text)) throw new ValueProblem('Enter a valid email address.');
  if (type !== 'longtext' && text.length > TEXT_MAX) {
    throw new ValueProblem(`Ensure this field has no more than ${TEXT_MAX} characters.`);
  }
  if (text.includes('\0')) throw new ValueProblem('Null characters are not allowed.');
  return text === '' ? null : text;
}

/** `{"id"}`, `{"name"}` or the bare id. @throws ValueProblem */
function readOption({ options }: Field, given: Json): FieldOption {
  const wanted = isObject(given) ? (given['id'] ?? null) : given;
  const name = isObject(given) ? (given['name'] ?? null) : null;
  const found = options.find((each) => (wanted === null ? each.name === name : each.id === wanted));
  if (found === undefined) throw doesNotExist(wanted ?? name);
  return found;
}

/** One of several; a tag that is new is made. @throws ValueProblem */
function readMember(business: Business, field: Field, given: Json): FieldOption {
  const name = isObject(given) ? given['name'] : undefined;
  const isNew = field.type === 'dynamictags' && typeof name === 'string' && name.trim() !== '';
  if (isNew && !field.options.some((each) => each.name === name.trim())) {
    field.options.push({ id: business.newId(), code: '', name: name.trim() });
  }
  return readOption(field, isNew ? { name: name.trim() } : given);
}

/** @throws ValueProblem */
function readFile({ files }: Business, given: Json): string {
  if (typeof given === 'string' && files.has(given)) return given;
  throw doesNotExist(given);
}

/** A live record of the other object, in the form that the server takes. @throws ValueProblem */
function readReference(business: Business, { relation }: Field, given: Json): string {
  const { relationWrites } = business.switches;
  const form = isObject(given) ? 'id object' : 'bare id';
  if (relationWrites !== 'either' && relationWrites !== form) {
    throw new ValueProblem(
      form === 'bare id'
        ? 'Invalid data. Expected a dictionary, but got str.'
        : `“${JSON.stringify(given)}” is not a valid UUID.`,
    );
  }
  const id = isObject(given) ? given['id'] : given;
  if (typeof id !== 'string' || targetOf(business, relation?.object ?? '', id) === null) {
    throw doesNotExist(id ?? null);
  }
  return id;
}

function targetOf({ objects }: Business, object: string, id: string) {
  const state: ObjectState | undefined = objects.find((each) => each.id === object);
  return state === undefined ? null : findRecord(state, id);
}

/**
 * A many-valued field with values added and taken away.
 *
 * @throws ValueProblem
 */
export function readChange(
  business: Business,
  field: Field,
  held: Json | undefined,
  change: { readonly add: Json; readonly remove: Json },
): Json {
  const kind = kindOf(field, business.switches);
  const isMany =
    field.relation === null ? ['options', 'files'].includes(kind) : !isToOne(field.relation);
  if (!isMany) throw new ValueProblem('This field holds one value.');
  const removed = new Set(idsIn(readValue(business, field, change.remove)));
  const kept = idsIn(held).filter((id) => !removed.has(id));
  return distinct([...kept, ...idsIn(readValue(business, field, change.add))]);
}

function listOf(given: Json): readonly Json[] {
  if (isList(given)) return given;
  throw new ValueProblem('Expected a list of items.');
}

/** Null where there is none. */
function distinct(ids: readonly string[]): Json {
  return ids.length === 0 ? null : [...new Set(ids)];
}

function doesNotExist(given: Json): ValueProblem {
  return new ValueProblem(
    `Invalid pk "${plainText(given)}" - object does not exist.`,
    'does_not_exist',
  );
}
