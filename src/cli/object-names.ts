import { type SyncError, UsageError } from '../domain/errors.ts';

/**
 * The objects a command was given, checked against what is mirrored; undefined where none were
 * given, which means all.
 *
 * @param problems what keeps others from being mirrored.
 * @throws UsageError naming every unknown one, and those there are; what keeps one from being mirrored.
 */
export function knownObjects(
  given: readonly string[],
  mirrored: readonly { readonly object: string }[],
  problems: readonly { readonly object: string; readonly error: SyncError }[] = [],
): readonly string[] | undefined {
  if (given.length === 0) return undefined;
  const known = mirrored.map(({ object }) => object).toSorted();
  const unknown = given.filter((name) => !known.includes(name));
  const problem = problems.find(({ object }) => unknown.includes(object));
  if (problem !== undefined) throw problem.error;
  if (unknown.length > 0) {
    throw new UsageError(
      unknown.map((name) => `no object is called ${name}`),
      known.length === 0
        ? 'nothing is mirrored yet: run `clarify-sync sync`'
        : `known objects: ${known.join(', ')}`,
    );
  }
  return [...new Set(given)];
}
