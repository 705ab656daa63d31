/*
 * Whether a page of a group of equal timestamps continues what was read of the group before.
 */

export type Continuation =
  /** Begins with `shared` records already read, in the same order, and goes on with new ones. */
  | { readonly kind: 'follows'; readonly shared: number }
  /** Nothing on it was read before: records slid past it, or the order changed. */
  | { readonly kind: 'apart' }
  /** Records already read come in another order, or between new ones: there is no one order. */
  | { readonly kind: 'contradicts' };

/** `ranks` holds the ids read so far by their position, in reading order. */
export function continuation(
  ranks: ReadonlyMap<string, number>,
  ids: readonly string[],
): Continuation {
  let shared = 0;
  let previousRank = -1;
  let known = true;
  for (const id of ids) {
    const rank = ranks.get(id);
    if (rank === undefined) {
      known = false;
      continue;
    }
    if (!known || rank < previousRank) return { kind: 'contradicts' };
    previousRank = rank;
    shared += 1;
  }
  return shared === 0 ? { kind: 'apart' } : { kind: 'follows', shared };
}

/** How unlikely it is that a shuffle keeps `shared` records in order: ln(shared!). */
export function orderEvidence(shared: number): number {
  let evidence = 0;
  for (let factor = 2; factor <= shared; factor += 1) evidence += Math.log(factor);
  return evidence;
}
