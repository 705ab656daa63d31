import { isObject } from './shape.ts';

/** What the page tells apart in filters and writes. */
export type Kind =
  | 'date'
  | 'number'
  | 'text'
  | 'collection'
  | 'multi-select'
  | 'select'
  | 'to-one'
  | 'to-many'
  | 'rich-text'
  | 'boolean'
  | 'other';

export interface KnownField {
  readonly kind: Kind;
  /** Of a single select. */
  readonly choices?: readonly unknown[];
  /** Type of the value collection or object, such as `emailAddresses`. */
  readonly reference?: string;
  /** Of a link: the object at its other end. */
  readonly entity?: string;
  readonly format?: string;
}

/**
 * The fields of a workspace, learned from its own `/schemas` answers as they pass: a client can know
 * no more, and what has not been told yet is not judged.
 */
export class FieldBook {
  readonly #objects = new Map<string, Map<string, KnownField>>();

  fields(object: string): ReadonlyMap<string, KnownField> | undefined {
    return this.#objects.get(object);
  }

  /** Takes in the body of a `/schemas` answer, or nothing where it is none. */
  learn(body: unknown): void {
    const items = isObject(body) ? body['data'] : body;
    if (!Array.isArray(items)) return;
    for (const item of items) {
      if (!isObject(item)) continue;
      // In `classic` the document may stand by itself.
      const document = isObject(item['attributes']) ? item['attributes'] : item;
      const id = item['id'] ?? document['$id'];
      if (typeof id !== 'string' || !/(?:^|\/)entities\/[^/]+$/.test(id)) continue;
      const { properties } = document;
      if (!isObject(properties)) continue;
      const known = Object.entries(properties).map(
        ([name, property]) => [name, knownField(property)] as const,
      );
      this.#objects.set(lastSegment(id), new Map(known));
    }
  }
}

const collections = /^(emailAddresses|phoneNumbers|domains|collectionOf\w+)$/;
const richText = /^richText\w*$/i;

function knownField(property: unknown): KnownField {
  if (!isObject(property)) return { kind: 'other' };
  const link = property['xClarifyRelationship'];
  if (isObject(link)) {
    const toOne = link['kind'] === 'many-to-one' || link['kind'] === 'one-to-one';
    return {
      kind: toOne ? 'to-one' : 'to-many',
      ...(typeof link['entity'] === 'string' && { entity: lastSegment(link['entity']) }),
    };
  }
  // The system timestamps are declared `type: object`: the format wins.
  const format = typeof property['format'] === 'string' ? property['format'] : undefined;
  const types = [property['type']].flat();
  if (format === 'date' || format === 'date-time') return { kind: 'date', format };
  if (types.includes('date')) return { kind: 'date', format: 'date' };
  const reference = referenceOf(property);
  if (reference !== undefined) {
    if (collections.test(reference)) return { kind: 'collection', reference };
    return { kind: richText.test(reference) ? 'rich-text' : 'other', reference };
  }
  if (Array.isArray(property['enum'])) return { kind: 'select', choices: property['enum'] };
  // A plain list is no collection: it goes as it is.
  if (types.includes('array')) return { kind: 'other' };
  if (property['items'] !== undefined) return { kind: 'multi-select' };
  if (isObject(property['properties']) && 'items' in property['properties']) {
    return { kind: 'multi-select' };
  }
  if (types.includes('number') || types.includes('integer')) return { kind: 'number' };
  if (types.includes('boolean')) return { kind: 'boolean' };
  return { kind: types.includes('string') ? 'text' : 'other' };
}

/** `$ref` stands directly, or inside `oneOf`. */
function referenceOf(property: Record<string, unknown>): string | undefined {
  const choices = Array.isArray(property['oneOf']) ? property['oneOf'] : [];
  for (const each of [property, ...choices]) {
    if (isObject(each) && typeof each['$ref'] === 'string') return lastSegment(each['$ref']);
  }
  return undefined;
}

export function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
