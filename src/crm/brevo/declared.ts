import * as z from 'zod';
import { isExactNumber, type Json } from '../../domain/json.ts';
import type { ObjectDialect, ObjectEntries } from '../adapter.ts';
import { isStandard, meantBy } from './standard.ts';

/** What a declared column may hold. */
const TYPES = ['text', 'number', 'boolean', 'date', 'timestamp', 'texts', 'json'] as const;
export type DeclaredType = (typeof TYPES)[number];

/** A custom object: nothing but the configuration tells what it has. */
export interface Declared {
  readonly object: string;
  /** By key. */
  readonly fields: ReadonlyMap<string, DeclaredType>;
  /** By the name of the link: the object at the other end. */
  readonly links: ReadonlyMap<string, string>;
}

const type = z.enum(TYPES);
const name = z.string().trim().min(1);

const declaration = z.looseObject({
  fields: z.record(z.string(), z.looseObject({ type: type.optional() })).default({}),
  links: z.record(z.string(), z.string()).default({}),
});

const OBJECT_NAME = /^[a-z0-9_]{1,32}$/;

/** Columns that every table of a custom object has. */
export const EXTERNAL_ID = 'ext_id';

/**
 * Custom objects have no schema endpoint: their keys and associations are declared where the
 * object's other settings are.
 */
export const DIALECT: ObjectDialect = {
  keys: { links: z.record(name, name).optional() },
  fieldKeys: { type: type.optional() },
  fieldShorthand: 'type',
  declare: (object, met) => {
    if (isStandard(object)) return null;
    const types = Object.entries(met).map(([key, value]) => [key, typeFor(value)]);
    return { fields: Object.fromEntries(types) };
  },
  check: (objects) => [
    ...Object.entries(objects).flatMap(([object, entry]) => problemsOf(object, entry, objects)),
    ...twiceLinked(objects),
  ],
};

/** Those that the configuration declares, by name. */
export function declaredObjects(objects: ObjectEntries): ReadonlyMap<string, Declared> {
  return new Map(
    Object.entries(objects)
      .filter(([object]) => !isStandard(object))
      .map(([object, entry]) => [object, readDeclaration(object, entry)]),
  );
}

function readDeclaration(object: string, entry: ObjectEntries[string] | undefined): Declared {
  const { fields, links } = declaration.parse(entry ?? {});
  return {
    object,
    fields: new Map(Object.entries(fields).map(([key, field]) => [key, field.type ?? 'text'])),
    links: new Map(Object.entries(links)),
  };
}

function problemsOf(
  object: string,
  entry: ObjectEntries[string] | undefined,
  objects: ObjectEntries,
): readonly string[] {
  const { fields, links } = declaration.parse(entry ?? {});
  if (isStandard(object)) {
    const typed = Object.entries(fields).filter(([, field]) => field.type !== undefined);
    const names = [
      ...typed.map(([key]) => `fields.${key}.type`),
      ...(Object.keys(links).length > 0 ? ['links'] : []),
    ];
    return names.map((key) => `${object}.${key} is for custom objects alone`);
  }
  const meant = meantBy(object);
  if (meant !== null) return [`${object} is called ${meant} here`];
  if (!OBJECT_NAME.test(object)) {
    return [`${object} is no object’s id, which has up to 32 of a-z, 0-9 and _`];
  }
  return [
    ...[EXTERNAL_ID, 'id']
      .filter((key) => Object.hasOwn(fields, key))
      .map((key) => `${object}.fields.${key} is there without being declared`),
    ...Object.entries(links).flatMap(([link, target]) => {
      const at = `${object}.links.${link}`;
      if (Object.hasOwn(fields, link)) return [`${at} is also a field`];
      if (isStandard(target) || (Object.hasOwn(objects, target) && meantBy(target) === null)) {
        return [];
      }
      const other = meantBy(target);
      return [`${at}: ${other === null ? `${target} is not declared` : `it is called ${other}`}`];
    }),
  ];
}

/** An association has no name of its own: two links between the same objects would be one. */
function twiceLinked(objects: ObjectEntries): readonly string[] {
  const known = new Map<string, string>();
  return [...declaredObjects(objects).values()].flatMap(({ object, links }) =>
    [...links].flatMap(([link, target]) => {
      const pair = [object, target].toSorted().join(' ');
      const at = `${object}.links.${link}`;
      const first = known.get(pair);
      known.set(pair, first ?? at);
      return first === undefined
        ? []
        : [`${at} is the association that objects.${first} is: declare it once`];
    }),
  );
}

/** What a column of such a value would be declared as. */
function typeFor(value: Json): DeclaredType {
  if (typeof value === 'number' || isExactNumber(value)) return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') {
    if (/^\d{4}-\d\d-\d\dT00:00:00(\.0+)?Z$/.test(value)) return 'date';
    return /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(value) ? 'timestamp' : 'text';
  }
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? 'texts' : 'json';
}
