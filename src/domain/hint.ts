/** What a CRM says of a record by a call of its own: a reason to ask, and never data. */
export type Hint = {
  /** The object, as calls name it: see `RemoteHooks.objects`. */
  readonly ref: string;
  readonly id: string;
} & (
  | { readonly kind: 'changed' | 'deleted' }
  /** It lives on in another record of its object. */
  | { readonly kind: 'merged'; readonly survivor: string }
);

/** A hint about a mirrored object. */
export interface NotedHint {
  readonly object: string;
  readonly id: string;
  readonly kind: Hint['kind'];
  /** Where it was merged into another; null of every other kind. */
  readonly survivor: string | null;
}

/** A write shows in lists, and a record to whoever asks for it, this long after it was made at most. */
export const LATE_MS = 30_000;

/** From then on what is shown is certain: with a margin for clocks that are read in turn. */
export const CERTAIN_MS = LATE_MS + 2_000;

/**
 * How long after a hint its record is read: soon, for lists mostly keep up; now and again, for they
 * may not; and once when what they show is certain.
 */
export const LOOKS_MS: readonly [number, ...number[]] = [500, 3_000, 10_000, 20_000, CERTAIN_MS];

/**
 * What hints about mirrored objects come to, each record once: one that was merged or deleted is not
 * just changed, whatever else was told of it.
 *
 * @param objects by what calls name them.
 */
export function notedHints(
  hints: readonly Hint[],
  objects: ReadonlyMap<string, string>,
): readonly NotedHint[] {
  const found = new Map<string, NotedHint>();
  for (const hint of hints) {
    const object = objects.get(hint.ref);
    if (object === undefined || hint.id === '') continue;
    const survivor = hint.kind === 'merged' ? hint.survivor : null;
    // A record does not live on in itself: it is the survivor, and has changed.
    const kind = survivor === hint.id ? 'changed' : hint.kind;
    const noted = { object, id: hint.id, kind, survivor: kind === 'merged' ? survivor : null };
    const key = JSON.stringify([object, hint.id]);
    const other = found.get(key);
    if (other === undefined || RANK[other.kind] < RANK[kind]) found.set(key, noted);
  }
  return [...found.values()];
}

const RANK: Readonly<Record<Hint['kind'], number>> = { changed: 0, deleted: 1, merged: 2 };
