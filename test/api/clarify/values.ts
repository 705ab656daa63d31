import type { Call, Deviation } from './exchange.ts';
import type { KnownField } from './field-book.ts';
import { isObject } from './shape.ts';

/**
 * What a person may have written and the API refuses: nothing for which a client is to blame, but an
 * answer that takes it deviates.
 */
export function valueDeviations(call: Call): Deviation[] {
  const fields = call.workspace.fields?.fields(call.params['object'] ?? '');
  if (!fields || !isObject(call.body)) return [];
  const { data } = call.body;
  return [data].flat().flatMap((item) => {
    if (!isObject(item) || !isObject(item['attributes'])) return [];
    return Object.entries(item['attributes']).flatMap(([name, value]) => {
      const refusedWith = refusal(fields.get(name), value);
      return refusedWith
        ? [{ at: `request.body.data.attributes.${name}`, what: 'is refused', refusedWith }]
        : [];
    });
  });
}

function refusal(field: KnownField | undefined, value: unknown): readonly number[] | undefined {
  if (!field || value === null) return undefined;
  // DECIMAL(16,4): twelve digits before the point.
  if (field.kind === 'number' && typeof value === 'number' && Math.abs(value) >= 1e12) return [400];
  if (field.kind === 'select' && typeof value === 'string' && !field.choices?.includes(value)) {
    return [422];
  }
  const items = isObject(value) && Array.isArray(value['items']) ? value['items'] : [];
  const bad = (pattern: RegExp) =>
    items.some((item) => typeof item === 'string' && !pattern.test(item));
  if (field.reference === 'emailAddresses' && bad(/^[^\s@]+@[^\s@]+$/)) return [422];
  if (field.reference === 'domains' && bad(/^[^\s@/]+\.[^\s@/]+$/)) return [422];
  return undefined;
}
