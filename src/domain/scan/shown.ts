/** Records that are kept: beyond them the list proves itself by its order, or not at all. */
const MOST_KEPT = 100_000;

/** Whom the passes of a scan have shown, in memory: for a list of what changed, which is seldom long. */
export interface Shown {
  note(page: {
    readonly pass: number;
    readonly ids: readonly string[];
    /** Those that may have joined the list since the scan began. */
    readonly joined: readonly string[];
  }): void;
  /**
   * What `answerCount` asks for: of each of the first so many passes, how many distinct records came in
   * it or a later one and were there when it began. None where more came than are kept.
   */
  count(passes: number): readonly number[];
}

/** In which passes a record came, and whether it was there before the scan. */
interface Came {
  readonly first: number;
  last: number;
  isOld: boolean;
}

export function createShown(mostKept = MOST_KEPT): Shown {
  const shown = new Map<string, Came>();
  let isKept = true;
  return {
    note({ pass, ids, joined }) {
      if (!isKept) return;
      const late = new Set(joined);
      for (const id of ids) {
        const came = shown.get(id);
        if (came === undefined) {
          shown.set(id, { first: pass, last: pass, isOld: !late.has(id) });
          continue;
        }
        came.last = pass;
        came.isOld ||= !late.has(id);
      }
      if (shown.size <= mostKept) return;
      isKept = false;
      shown.clear();
    },
    count(passes) {
      if (!isKept) return [];
      return Array.from({ length: passes }, (_, from) => {
        let count = 0;
        for (const { first, last, isOld } of shown.values()) {
          if (last >= from && (isOld || first < from)) count += 1;
        }
        return count;
      });
    },
  };
}
