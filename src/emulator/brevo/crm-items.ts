import type { Json } from '../../domain/json.ts';
import { type Fields, fieldOf } from '../kernel/fields.ts';
import { invalid, notFound } from './api-error.ts';
import { crmValue } from './attributes.ts';
import { inUtc, inZone } from './instants.ts';
import { type End, ofType } from './links.ts';
import { changed, clears } from './query.ts';
import type { CrmItem, CrmKind, CrmState, Workspace } from './workspace.ts';

/** As associations name them. */
export const TYPE_OF = { companies: 'company', deals: 'deal' } as const;

export function endOf({ kind }: Pick<CrmState, 'kind'>, id: string): End {
  return { type: TYPE_OF[kind], id };
}

/** Attributes that are told, and never written. */
const COMPUTED: Readonly<Record<CrmKind, readonly string[]>> = {
  companies: ['number_of_contacts', 'created_at', 'last_updated_at'],
  deals: ['number_of_contacts', 'created_at', 'last_updated_date', 'stage_updated_at'],
};

/** @throws ApiError 400 for an id of the wrong form, 404 */
export function namedItem(state: CrmState, id: string): CrmItem {
  if (!/^[0-9a-f]{24}$/.test(id)) throw invalid('Invalid id');
  const item = state.shelf.items.get(id);
  if (item === undefined) throw notFound();
  return item;
}

/**
 * What attributes are to be. One that is unknown or read-only is ignored or refused, by the switch.
 *
 * @throws ApiError 400 for a value that does not fit
 */
export function readCrmAttributes(
  { switches }: Workspace,
  state: CrmState,
  given: Fields,
): Map<string, Json> {
  const changes = new Map<string, Json>();
  for (const [name, value] of Object.entries(given)) {
    const attribute = state.attributes.find((each) => each.name === name);
    if (attribute === undefined || attribute.readOnly) {
      if (switches.oddAttributes === 'refuse') throw invalid(`Attribute not found: ${name}`);
      continue;
    }
    if (clears(value, switches.crmClear)) changes.set(name, null);
    else if (value !== null) {
      const kept = crmValue(attribute, value);
      if (kept === undefined) throw invalid(`${name} is not valid`);
      changes.set(name, kept);
    }
  }
  return changes;
}

/** @returns its id */
export function insertItem(
  workspace: Workspace,
  state: CrmState,
  attributes: ReadonlyMap<string, Json>,
  createdMs: number,
): string {
  const id = workspace.newHexId();
  state.shelf.put(id, {
    id,
    order: workspace.nextOrder(),
    attributes: changed({}, attributes),
    createdMs,
    updatedMs: createdMs,
    stageMs: createdMs,
  });
  return id;
}

export function updateItem(
  state: CrmState,
  item: CrmItem,
  attributes: ReadonlyMap<string, Json>,
  atMs: number,
): void {
  const after = changed(item.attributes, attributes);
  const isElsewhere = fieldOf(after, 'deal_stage') !== fieldOf(item.attributes, 'deal_stage');
  state.shelf.put(item.id, {
    ...item,
    attributes: after,
    updatedMs: Math.max(item.updatedMs, atMs),
    stageMs: isElsewhere ? atMs : item.stageMs,
  });
}

/** For good, with its links. */
export function deleteItem({ links }: Workspace, state: CrmState, id: string): void {
  namedItem(state, id);
  state.shelf.remove(id);
  links.drop(endOf(state, id));
}

/** @param seen `of` for its links as they stand, `shown` as lists show them */
export function renderItem(
  workspace: Workspace,
  state: CrmState,
  item: CrmItem,
  seen: 'of' | 'shown' = 'of',
): Fields {
  const links = workspace.links[seen](endOf(state, item.id));
  const contacts = ofType(links, 'contact').map(({ id }) => Number(id));
  const [other = '', member = ''] =
    state.kind === 'companies' ? ['deal', 'linkedDealsIds'] : ['company', 'linkedCompaniesIds'];
  return {
    id: item.id,
    attributes: itemAttributes(workspace, state, item, contacts.length),
    linkedContactsIds: contacts,
    [member]: ofType(links, other).map(({ id }) => id),
  };
}

export function itemAttributes(
  { switches }: Workspace,
  state: CrmState,
  { attributes, createdMs, updatedMs, stageMs }: CrmItem,
  contacts: number,
): Fields {
  const computed: Readonly<Record<string, Json>> =
    state.kind === 'companies'
      ? { created_at: inZone(createdMs, switches), last_updated_at: inZone(updatedMs, switches) }
      : {
          created_at: inUtc(createdMs, switches),
          last_updated_date: inUtc(updatedMs, switches),
          stage_updated_at: inUtc(stageMs, switches),
        };
  const shown: [string, Json][] = [];
  for (const { name } of state.attributes) {
    const value = COMPUTED[state.kind].includes(name)
      ? (computed[name] ?? contacts)
      : attributes[name];
    if (value !== undefined) shown.push([name, value]);
    else if (switches.noValue === 'null') shown.push([name, null]);
  }
  return Object.fromEntries(shown);
}

/** Where a link leads, among what there is. */
export function exists({ contacts, crm, objects }: Workspace, { type, id }: End): boolean {
  if (type === 'contact') return contacts.items.has(Number(id));
  if (type === 'company') return crm.companies.shelf.items.has(id);
  if (type === 'deal') return crm.deals.shelf.items.has(id);
  return objects.get(type)?.shelf.items.has(Number(id)) === true;
}

/** Moves the time of change of what was linked, by the switch. */
export function moveLinked(workspace: Workspace, owner: End, others: readonly End[]): void {
  const { linksMove } = workspace.switches;
  if (linksMove === 'none') return;
  for (const { type, id } of linksMove === 'both' ? [owner, ...others] : [owner]) {
    const state = Object.values(workspace.crm).find(({ kind }) => TYPE_OF[kind] === type);
    const item = state?.shelf.items.get(id);
    if (state !== undefined && item !== undefined) {
      updateItem(state, item, new Map(), workspace.now());
    }
  }
}
