import type { ApiError } from '../kernel/api-error.ts';
import type { Fields } from '../kernel/fields.ts';
import { refuse } from './api-error.ts';
import { type Attribute, valueKey } from './attribute.ts';
import type { Changes } from './commit.ts';
import type { ObjectState, Workspace } from './workspace.ts';

/** Ids of the records that have one of the values, by the index or, where there is none, one by one. */
export function uniqueOwners(
  state: ObjectState,
  attribute: Attribute,
  values: readonly Fields[],
): Set<string> {
  const keys = new Set(values.map((data) => valueKey(attribute.type, data)));
  if (attribute.unique) {
    const owners = state.unique.get(attribute.id);
    return new Set([...keys].flatMap((key) => [...(owners?.get(key) ?? [])]));
  }
  const found = new Set<string>();
  for (const [id, { values: held }] of state.records) {
    const has = (held.get(attribute.id) ?? []).some(({ data }) =>
      keys.has(valueKey(attribute.type, data)),
    );
    if (has) found.add(id);
  }
  return found;
}

/** @throws ApiError `uniqueness_conflict` where another record has one of the values */
export function refuseTaken(
  workspace: Workspace,
  state: ObjectState,
  own: string | null,
  changes: Changes,
): void {
  for (const [attribute, values] of changes) {
    if (!attribute.unique) continue;
    for (const value of values) {
      const owners = uniqueOwners(state, attribute, [value]);
      const [owner] = owners;
      // What a record holds already it may keep, though an older one holds it as well.
      if (owner === undefined || (own !== null && owners.has(own))) continue;
      throw taken(workspace, attribute, owner);
    }
  }
}

function taken({ switches }: Workspace, { id, slug }: Attribute, owner: string): ApiError {
  const named = switches.conflictNames === 'id' ? `ID "${id}"` : `slug "${slug}"`;
  const holder = switches.conflictNames === 'record' ? ` of record "${owner}"` : '';
  return refuse(
    Number(switches.conflictStatus),
    'uniqueness_conflict',
    `The value provided for attribute with ${named} conflicts with one already in the system${holder}.`,
  );
}
