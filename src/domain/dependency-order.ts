import type { ObjectSchema } from './schema.ts';

/**
 * Objects in the order in which their records have to be created: what is referred to comes
 * before what refers to it (company before person). Where objects refer to each other in a
 * circle, the alphabetically first goes first.
 */
export function dependencyOrder(schemas: readonly ObjectSchema[]): readonly string[] {
  const byName = new Map(schemas.map((schema) => [schema.object, schema]));
  const ordered: string[] = [];
  const visited = new Set<string>();
  const visit = (object: string): void => {
    if (visited.has(object)) return;
    visited.add(object);
    for (const target of referencedObjects(byName.get(object)))
      if (byName.has(target)) visit(target);
    ordered.push(object);
  };
  for (const object of [...byName.keys()].sort()) visit(object);
  return ordered;
}

function referencedObjects(schema: ObjectSchema | undefined): readonly string[] {
  const targets = (schema?.fields ?? []).flatMap(({ kind, relationship }) =>
    kind === 'reference' && relationship ? [relationship.object] : [],
  );
  return targets.sort();
}
