import type { Json } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { KizenField, KnownObject } from './catalog.ts';
import type { Fields } from './encode-record.ts';
import { isStage } from './fields.ts';

/**
 * What was written by a label, and is told with another one: since labels were read, the option has
 * been given a new one, and the old one may be another option's by now.
 *
 * @param object as it was known when it was written.
 */
export function relabelled(object: KnownObject, fields: Fields, told: RemoteRecord): Fields {
  const wrong = Object.entries(fields).filter(([name, value]) => {
    const field = object.byName.get(name);
    const shown = told.fields[name];
    if (field === undefined || shown === undefined || shown === null) return false;
    const sent = labelsIn(value);
    return areLabels(object, field, sent) && !areSame(sent, labelsIn(shown));
  });
  return Object.fromEntries(wrong);
}

/** An option may be written by its id, too. */
function areLabels(object: KnownObject, field: KizenField, labels: readonly string[]): boolean {
  if (field.type === 'dynamictags') return labels.length > 0;
  const options = isStage(object, field) ? object.stages : field.options;
  return labels.length > 0 && labels.every((one) => options.some(({ label }) => label === one));
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  const wanted = new Set(some.map(simple));
  const known = new Set(others.map(simple));
  return wanted.size === known.size && [...wanted].every((one) => known.has(one));
}

function labelsIn(value: Json): readonly string[] {
  return [value].flat().flatMap((one) => (typeof one === 'string' ? [one] : []));
}

/** Case and spaces at the ends are Kizen's to choose. */
function simple(label: string): string {
  return label.trim().toLowerCase();
}
