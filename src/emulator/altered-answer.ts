import { type Json, parseJson, stringifyJson } from '../domain/json.ts';
import type { Fault } from './faults.ts';
import type { Answer } from './list-answer.ts';
import { type Fields, isObject, withFields } from './stored-record.ts';

type PartialFault = Extract<Fault, { kind: 'partial' }>;
type AttributeFault = Extract<Fault, { kind: 'attribute' }>;

/**
 * The answer to a call of which only the first records were carried out, or, where `applied`, only
 * the first are told of: of a list as of a write. One record is a list of one.
 */
export function answerInPart(
  fault: PartialFault,
  body: string,
  run: (body: string) => Answer,
): Answer {
  const sent = membersOf(body) ?? {};
  const key = 'items' in sent ? 'items' : 'data';
  const items = [sent[key] ?? []].flat();
  const status = fault.status ?? 207;
  const share = (count: number): number => fault.keep ?? Math.floor(count / 2);
  const carriedOut = fault.applied === true ? items.length : share(items.length);
  if (items.length > 0 && carriedOut === 0) {
    return { status, text: stringifyJson({ data: [], ...refusals(fault, key, items, 0) }) };
  }
  const whole = carriedOut >= items.length;
  const answer = run(whole ? body : stringifyJson({ ...sent, [key]: items.slice(0, carriedOut) }));
  const members = membersOf(answer.text.toString());
  if (answer.status >= 300 || members === null) return answer;
  const data = [members.data ?? []].flat();
  const shown = items.length > 0 ? share(items.length) : share(data.length);
  const text = stringifyJson({
    ...members,
    data: data.slice(0, shown),
    ...refusals(fault, key, items, shown),
  });
  return { ...answer, status, text };
}

function refusals(
  { errors = false }: PartialFault,
  key: string,
  items: readonly Json[],
  from: number,
): Fields {
  if (!errors) return {};
  const pointers = items.slice(from).map((_, index) => `/${key}/${from + index}`);
  return {
    errors: pointers.map((pointer) => ({
      status: '500',
      detail: `${pointer}: Something went wrong`,
      source: { pointer },
    })),
  };
}

/** The answer with one attribute of its records set, or left out where the fault has no value. */
export function withAttribute(fault: AttributeFault, answer: Answer): Answer {
  const whole = membersOf(answer.text.toString());
  if (whole === null || whole.data === undefined) return answer;
  const changed = isList(whole.data)
    ? whole.data.map((record) => alter(fault, record))
    : alter(fault, whole.data);
  return { ...answer, text: stringifyJson({ ...whole, data: changed }) };
}

function alter({ attribute, value, ids }: AttributeFault, record: Json): Json {
  if (!isObject(record) || !isObject(record.attributes ?? null)) return record;
  if (ids !== undefined && !ids.some((id) => id === record.id)) return record;
  const attributes: Fields = isObject(record.attributes) ? record.attributes : {};
  const { [attribute]: _, ...others } = attributes;
  return {
    ...record,
    attributes: value === undefined ? others : withFields(attributes, [[attribute, value]]),
  };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
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
