import { findField, isToMany, type LinkField, type ObjectDefinition } from './object-definition.ts';
import { entry } from './object-state.ts';

type Sides = readonly [own: Map<string, Set<string>>, other: Map<string, Set<string>>];

/** Many-to-many links, each pair of fields kept once and read from both ends. */
export interface Links {
  ids(object: string, field: LinkField, id: string): ReadonlySet<string>;
  add(object: string, field: LinkField, id: string, otherId: string): void;
  remove(object: string, field: LinkField, id: string, otherId: string): void;
}

const NONE: ReadonlySet<string> = new Set();

export function createLinks(): Links {
  const pairs = new Map<string, Sides>();

  /** Both ends of `object.field`; one map for both where a field is its own other end. */
  const sides = (object: string, { name, form }: LinkField): Sides => {
    const own = `${object}.${name}`;
    const other = `${form.entity}.${form.field ?? `(back of ${own})`}`;
    const first = own <= other ? own : other;
    const pair = entry(pairs, `${first} ${first === own ? other : own}`, (): Sides => {
      const forward = new Map<string, Set<string>>();
      return [forward, own === other ? forward : new Map<string, Set<string>>()];
    });
    return first === own ? pair : [pair[1], pair[0]];
  };

  return {
    ids: (object, field, id) => sides(object, field)[0].get(id) ?? NONE,
    add(object, field, id, otherId) {
      const [own, other] = sides(object, field);
      entry(own, id, () => new Set()).add(otherId);
      entry(other, otherId, () => new Set()).add(id);
    },
    remove(object, field, id, otherId) {
      const [own, other] = sides(object, field);
      own.get(id)?.delete(otherId);
      other.get(otherId)?.delete(id);
    },
  };
}

export function manyToManyFields(definition: ObjectDefinition): LinkField[] {
  return definition.fields
    .filter(isToMany)
    .filter((field) => field.form.relation === 'many-to-many');
}

/** @returns the field where it exists and is a link, to-one included. */
export function linkField(definition: ObjectDefinition, name: string): LinkField | undefined {
  const field = findField(definition, name);
  return field?.form.kind === 'link' ? { ...field, form: field.form } : undefined;
}
