import { type Json, parseJson, stringifyJson } from '../../domain/json.ts';
import type { Answer } from './answer.ts';
import type { Fault } from './faults.ts';
import { type Fields, isList, isObject, withFields } from './fields.ts';
import type { RecordForm } from './model.ts';

type PartialFault = Extract<Fault, { kind: 'partial' }>;
type AttributeFault = Extract<Fault, { kind: 'attribute' }>;

/**
 * The answer to a call of which only the first records were carried out, or, where `applied`, only
 * the first are told of: of a list as of a write. One record is a list of one.
 */
export function answerInPart(
  form: RecordForm,
  fault: PartialFault,
  body: string,
  run: (body: string) => Answer,
): Answer {
  const sent = membersOf(body) ?? {};
  const key = memberOf(sent, form.sentIn);
  const items = [sent[key] ?? []].flat();
  const status = fault.status ?? 207;
  const share = (count: number): number => fault.keep ?? Math.floor(count / 2);
  const refusals = (from: number): Fields =>
    fault.errors === true
      ? form.leftOut(items.slice(from).map((_, index) => `/${key}/${from + index}`))
      : {};
  const carriedOut = fault.applied === true ? items.length : share(items.length);
  if (items.length > 0 && carriedOut === 0) {
    const shownIn = memberOf({}, form.shownIn);
    return { status, text: stringifyJson({ [shownIn]: [], ...refusals(0) }) };
  }
  const whole = carriedOut >= items.length;
  const answer = run(whole ? body : stringifyJson({ ...sent, [key]: items.slice(0, carriedOut) }));
  const members = membersOf(answer.text.toString());
  if (answer.status >= 300 || members === null) return answer;
  const shownIn = memberOf(members, form.shownIn);
  const data = [members[shownIn] ?? []].flat();
  const shown = items.length > 0 ? share(items.length) : share(data.length);
  const text = stringifyJson({
    ...members,
    [shownIn]: data.slice(0, shown),
    ...refusals(shown),
  });
  return { ...answer, status, text };
}

/** The answer with one attribute of its records set, or left out where the fault has no value. */
export function withAttribute(form: RecordForm, fault: AttributeFault, answer: Answer): Answer {
  const whole = membersOf(answer.text.toString());
  const shownIn = memberOf(whole ?? {}, form.shownIn);
  const data = whole?.[shownIn];
  if (data === undefined) {
    // A body may be the record itself.
    const isRecord = whole !== null && form.fieldsIn !== null && form.fieldsIn in whole;
    return isRecord ? { ...answer, text: stringifyJson(alter(form, fault, whole)) } : answer;
  }
  const changed = isList(data)
    ? data.map((record) => alter(form, fault, record))
    : alter(form, fault, data);
  return { ...answer, text: stringifyJson({ ...whole, [shownIn]: changed }) };
}

function alter(
  { fieldsIn, idOf }: RecordForm,
  { attribute, value, ids }: AttributeFault,
  record: Json,
): Json {
  if (!isObject(record)) return record;
  if (ids !== undefined && !ids.some((id) => id === idOf(record))) return record;
  const fields = fieldsIn === null ? record : (record[fieldsIn] ?? {});
  if (!isObject(fields)) return record;
  const { [attribute]: _, ...others } = fields;
  const altered = value === undefined ? others : withFields(fields, [[attribute, value]]);
  return fieldsIn === null ? altered : { ...record, [fieldsIn]: altered };
}

/** The first of the names that the object has, or the last of them. */
function memberOf(members: Fields, names: readonly string[]): string {
  return names.find((name) => name in members) ?? names.at(-1) ?? '';
}

/** Null where the text is no JSON object. */
function membersOf(text: string): Fields | null {
  if (text === '') return null;
  try {
    const parsed = parseJson(text);
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
