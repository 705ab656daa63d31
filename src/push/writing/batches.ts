import type { Outgoing } from '../outgoing.ts';

/** Attempts in full batches; what keeps failing then goes in ever smaller ones. */
export const FULL_BATCH_ATTEMPTS = 3;

export function inBatches(
  changes: readonly Outgoing[],
  batchSize: number,
): (readonly Outgoing[])[] {
  const batches: (readonly Outgoing[])[] = [];
  const take = batchesOf(changes, () => batchSize);
  for (let batch = take(); batch !== undefined; batch = take()) batches.push(batch);
  return batches;
}

/**
 * Takes batches one at a time, each as large as it may be when its turn comes.
 *
 * A record at which the server fails, instead of refusing it, must not hold up its batch for ever
 * (invariant 10): nothing tells which it is, so with each further attempt batches are halved.
 *
 * @param sizeNow records that a batch may hold by now.
 * @param passOver told of each once, when its turn comes: whether somebody else takes care of it.
 */
export function batchesOf(
  changes: readonly Outgoing[],
  sizeNow: () => number,
  passOver: (change: Outgoing) => boolean = () => false,
): () => readonly Outgoing[] | undefined {
  const left = new Map<number, { readonly group: Outgoing[]; begin: number }>();
  for (const change of changes) {
    const halvings = Math.max(0, change.attempts - FULL_BATCH_ATTEMPTS);
    const known = left.get(halvings);
    if (known === undefined) left.set(halvings, { group: [change], begin: 0 });
    else known.group.push(change);
  }
  return () => {
    for (const [halvings, part] of left) {
      const size = Math.max(1, Math.floor(sizeNow() / 2 ** halvings));
      const batch: Outgoing[] = [];
      while (batch.length < size && part.begin < part.group.length) {
        const some = part.group.slice(part.begin, part.begin + size - batch.length);
        part.begin += some.length;
        batch.push(...some.filter((change) => !passOver(change)));
      }
      if (part.begin >= part.group.length) left.delete(halvings);
      if (batch.length > 0) return batch;
    }
    return undefined;
  };
}

export function chunk<T>(items: readonly T[], size: number): (readonly T[])[] {
  const chunks: (readonly T[])[] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return chunks;
}
