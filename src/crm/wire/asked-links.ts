import type { RemoteRecord } from '../../domain/record.ts';

/**
 * Of records that tell of all their links, whatever was asked for, what was asked for. Those of a page
 * that were recognised share what they tell of, most of them.
 */
export function askedLinks(
  include: readonly string[] = [],
): (record: RemoteRecord) => RemoteRecord {
  let told: RemoteRecord['links'] = {};
  let asked = told;
  return (record) => {
    if (record.links !== told) {
      told = record.links;
      const entries = Object.entries(told);
      const kept = entries.filter(([field]) => include.includes(field));
      asked = kept.length === entries.length ? told : Object.fromEntries(kept);
    }
    return asked === told ? record : { ...record, links: asked };
  };
}
