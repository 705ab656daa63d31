import type { Json } from '../../domain/json.ts';
import { isList } from '../kernel/fields.ts';
import { invalid } from './api-error.ts';
import { type ContactAttribute, textOf } from './attributes.ts';
import { sinceFilter } from './query.ts';
import type { Contact, Workspace } from './workspace.ts';

type Passes = (contact: Contact) => boolean;

/** Everything that narrows a list of contacts; null where nothing does. @throws ApiError 400 */
export function contactFilter(workspace: Workspace, query: URLSearchParams): Passes | null {
  const ids = numbers(query, 'ids');
  const listIds = numbers(query, 'listIds');
  if (ids.length > 20) throw invalid('ids takes at most 20');
  if (query.has('segmentId')) {
    if (listIds.length > 0) throw invalid('Either listIds or segmentId can be passed');
    throw invalid('Segment does not exist');
  }
  const filters = [
    sinceFilter(query, workspace.switches),
    attributeFilter(workspace, query.get('filter')),
    ids.length === 0 ? null : ({ id }: Contact) => ids.includes(id),
    listIds.length === 0
      ? null
      : (each: Contact) => each.listIds.some((id) => listIds.includes(id)),
  ].filter((each) => each !== null);
  if (filters.length === 0) return null;
  return (contact) => filters.every((passes) => passes(contact));
}

/** A parameter that may be repeated. */
function numbers(query: URLSearchParams, name: string): number[] {
  return query.getAll(name).map((given) => {
    if (!/^\d+$/.test(given)) throw invalid(`${name} is not valid`);
    return Number(given);
  });
}

/** `equals(FIRSTNAME,"Ada")` */
function attributeFilter({ contactAttributes }: Workspace, given: string | null): Passes | null {
  if (given === null) return null;
  const [, name = '', quoted, bare] =
    /^equals\(\s*(\w+)\s*,\s*(?:"(.*)"|([^"]*?))\s*\)$/.exec(given) ?? [];
  const value = quoted ?? bare;
  if (value === undefined) throw invalid('filter is not valid');
  if (name === 'EMAIL') return ({ email }) => email?.toLowerCase() === value.toLowerCase();
  const attribute = contactAttributes.find((each) => each.name === name);
  if (attribute === undefined) throw invalid('filter names no attribute');
  return ({ attributes }) => holds(attribute, attributes[name], value);
}

/** A category by its value or its label; of a multiple choice all that are named. */
function holds({ enumeration }: ContactAttribute, held: Json | undefined, wanted: string): boolean {
  if (held === undefined || held === null) return false;
  if (isList(held)) return wanted.split(',').every((each) => held.includes(each.trim()));
  const label = enumeration.find(({ value }) => value === held)?.label;
  return textOf(held) === wanted || label === wanted;
}
