import type { Json } from '../../domain/json.ts';
import type { Encoding } from './encode-record.ts';
import { OBJECT_SUFFIX, targetOf } from './fields.ts';

/**
 * Of references to records of several objects, which take two columns: those that are not among the
 * fields although the other is, and that have to be known to write it.
 */
export function openHalves(
  { object, byId }: Encoding,
  fields: Readonly<Record<string, Json>>,
): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const isObject = name.endsWith(OBJECT_SUFFIX);
    const slug = isObject ? name.slice(0, -OBJECT_SUFFIX.length) : name;
    const attribute = object.attributes.get(slug);
    if (attribute?.type !== 'record-reference' || attribute.isMulti) return [];
    if (value === null || targetOf(attribute, byId) !== null) return [];
    const other = isObject ? slug : `${slug}${OBJECT_SUFFIX}`;
    return Object.hasOwn(fields, other) ? [] : [other];
  });
}
