import type { ObjectSchema } from './schema.ts';

/**
 * Objects in the order in which their records have to be created: what is referred to comes
 * before what refers to it (company before person). Where objects refer to each other in a
 * circle, one of them has to go first; which one does not depend on the order given.
 */
export function dependencyOrder(schemas: readonly ObjectSchema[]): readonly string[] {
  const targetsOf = referenceGraph(schemas);
  const ordered: string[] = [];
  const visited = new Set<string>();
  const visit = (object: string): void => {
    if (visited.has(object)) return;
    visited.add(object);
    for (const target of targetsOf(object)) visit(target);
    ordered.push(object);
  };
  for (const { object } of schemas.toSorted(byObject)) visit(object);
  return ordered;
}

/**
 * Objects whose records a record of this one may wait for: those it refers to that never lead
 * back to it. Waiting within a circle could last for ever.
 */
export function prerequisites(
  schemas: readonly ObjectSchema[],
  object: string,
): ReadonlySet<string> {
  const targetsOf = referenceGraph(schemas);
  const leadsBack = (target: string): boolean => {
    const reached = new Set<string>();
    const open = [target];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === object) return true;
      if (reached.has(next)) continue;
      reached.add(next);
      open.push(...targetsOf(next));
    }
    return false;
  };
  return new Set(targetsOf(object).filter((target) => !leadsBack(target)));
}

/** Objects a given one refers to, as far as they are among the schemas. */
function referenceGraph(schemas: readonly ObjectSchema[]): (object: string) => readonly string[] {
  const byName = new Map(schemas.map((schema) => [schema.object, schema]));
  return (object) =>
    (byName.get(object)?.fields ?? [])
      .flatMap(({ kind, relationship }) =>
        kind === 'reference' && relationship && byName.has(relationship.object)
          ? [relationship.object]
          : [],
      )
      .toSorted();
}

function byObject(a: ObjectSchema, b: ObjectSchema): number {
  return a.object < b.object ? -1 : a.object > b.object ? 1 : 0;
}
