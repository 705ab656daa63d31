import type { ShelfDeps } from './shelf.ts';

/** A contact, company, deal or record: its type as associations name it, and its id. */
export interface End {
  readonly type: string;
  readonly id: string;
}

/** Of one end: the other, and its place in the order of linking. */
export interface Link extends End {
  readonly sequence: number;
}

/** Who is linked to whom: a link has no name and no direction, and is there once or not. */
export interface Links {
  /** @returns false where both were linked already */
  link(a: End, b: End): boolean;
  /** @returns false where they were not */
  unlink(a: End, b: End): boolean;
  /** Oldest first. */
  of(end: End): readonly Link[];
  /** As lists show them: what came or went may not have arrived there. */
  shown(end: End): readonly Link[];
  /** Ends everything about one that is gone. */
  drop(end: End): void;
}

interface Held {
  readonly link: Link;
  readonly fromMs: number;
  /** Null while it stands. */
  readonly untilMs: number | null;
}

export function createLinks({ switches, random, now }: ShelfDeps): Links {
  const byEnd = new Map<string, Map<string, Held>>();
  let sequence = 0;
  const keyOf = ({ type, id }: End): string => `${type} ${id}`;
  const heldBy = (end: End): Map<string, Held> => byEnd.get(keyOf(end)) ?? new Map<string, Held>();
  const hold = (from: End, to: End, held: Omit<Held, 'link'>): void => {
    const others = heldBy(from);
    byEnd.set(keyOf(from), others);
    const link = { type: to.type, id: to.id, sequence };
    others.delete(keyOf(to));
    others.set(keyOf(to), { link, ...held });
  };
  const release = (from: End, to: End, untilMs: number): void => {
    const others = heldBy(from);
    const held = others.get(keyOf(to));
    if (held === undefined) return;
    if (untilMs > now()) others.set(keyOf(to), { ...held, untilMs });
    else others.delete(keyOf(to));
  };
  /** When lists show what is done now. */
  const shownAtMs = (): number => {
    const { visibilityDelayMs, lateShare } = switches;
    const isLate = visibilityDelayMs > 0 && random.next() < lateShare;
    return isLate ? now() + visibilityDelayMs : now();
  };
  const stands = (a: End, b: End): boolean => heldBy(a).get(keyOf(b))?.untilMs === null;
  return {
    link(a, b) {
      if (stands(a, b)) return false;
      sequence += 1;
      // One that is still shown although it was ended goes on being shown.
      const fromMs = Math.min(shownAtMs(), heldBy(a).get(keyOf(b))?.fromMs ?? Infinity);
      hold(a, b, { fromMs, untilMs: null });
      hold(b, a, { fromMs, untilMs: null });
      return true;
    },
    unlink(a, b) {
      if (!stands(a, b)) return false;
      const untilMs = shownAtMs();
      release(a, b, untilMs);
      release(b, a, untilMs);
      return true;
    },
    of: (end) =>
      [...heldBy(end).values()].filter(({ untilMs }) => untilMs === null).map(({ link }) => link),
    shown(end) {
      const nowMs = now();
      const others = heldBy(end);
      for (const [key, { untilMs }] of others) {
        if ((untilMs ?? Infinity) <= nowMs) others.delete(key);
      }
      return [...others.values()].filter(({ fromMs }) => fromMs <= nowMs).map(({ link }) => link);
    },
    drop(end) {
      for (const { link } of heldBy(end).values()) byEnd.get(keyOf(link))?.delete(keyOf(end));
      byEnd.delete(keyOf(end));
    },
  };
}

export function ofType(links: readonly Link[], type: string): Link[] {
  return links.filter((link) => link.type === type);
}
