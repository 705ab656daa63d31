/** An outbox entry about one link, as claimed. */
export interface LinkEntry {
  readonly id: bigint;
  readonly op: 'link' | 'unlink';
  /** The record at the other end. */
  readonly other: string;
  /** It has left us before, and may have arrived. */
  readonly sentBefore: boolean;
}

/** What all claimed entries about one link come to; every entry is accounted for (invariant 2). */
export interface LinkChange {
  readonly other: string;
  /** `nothing`: made and taken back, or the other way round, before the CRM ever heard of it. */
  readonly kind: 'link' | 'unlink' | 'nothing';
  /** The entry that says how it is to be. */
  readonly entry: bigint;
  /** Earlier ones: superseded once the last has arrived, and not before. */
  readonly earlier: readonly bigint[];
}

/**
 * Folds the entries of one record's links, oldest first: per record at the other end the last one
 * counts. A link that is made and taken back cancels out, unless one of them was sent before: the
 * CRM may have heard of it in an attempt whose answer got lost.
 */
export function coalesceLinks(entries: readonly LinkEntry[]): readonly LinkChange[] {
  const byOther = new Map<string, LinkEntry[]>();
  for (const entry of entries) {
    const ofOther = byOther.get(entry.other);
    if (ofOther) ofOther.push(entry);
    else byOther.set(entry.other, [entry]);
  }
  return [...byOther].flatMap(([other, ofOther]) => {
    const [first] = ofOther;
    const last = ofOther.at(-1);
    if (!first || !last) return [];
    const isBackAgain = first.op !== last.op && !ofOther.some(({ sentBefore }) => sentBefore);
    const earlier = ofOther.slice(0, -1).map(({ id }) => id);
    return [{ other, kind: isBackAgain ? 'nothing' : last.op, entry: last.id, earlier }];
  });
}

/** The set of links as it has to be: what is there, and what is wanted, without what is not. */
export function mergeLinkSet(
  present: ReadonlySet<string>,
  changes: readonly Pick<LinkChange, 'other' | 'kind'>[],
): ReadonlySet<string> {
  const wanted = new Set(present);
  for (const { other, kind } of changes) {
    if (kind === 'link') wanted.add(other);
    else if (kind === 'unlink') wanted.delete(other);
  }
  return wanted;
}
