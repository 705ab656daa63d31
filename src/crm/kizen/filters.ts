import type { Json } from '../../domain/json.ts';
import type { KizenField } from './catalog.ts';

/** One condition on a field. */
export interface Filter {
  readonly field: Pick<KizenField, 'id' | 'name' | 'isDefault'>;
  readonly condition: '=' | '>=' | '<=' | 'between';
  readonly value: Json;
}

/** Every field of these names is a default one, whatever the list of fields says. */
const DEFAULT: ReadonlySet<string> = new Set(['created', 'updated', 'name', 'email', 'owner']);

/** The body of a search for what meets all of these. */
export function searchBody(filters: readonly Filter[]): object {
  if (filters.length === 0) return { query: [], and: true };
  return {
    query: [{ id: 'query-0', and: true, filters: filters.map(toWire) }],
    and: true,
  };
}

function toWire({ field, condition, value }: Filter): object {
  const { id, name, isDefault } = field;
  return isDefault || DEFAULT.has(name)
    ? { type: 'fields', subtype: 'non_custom', field: name, condition, value }
    : {
        type: 'fields_v2',
        subtype: 'custom',
        field: `"custom"::${id}`,
        condition,
        value,
      };
}
