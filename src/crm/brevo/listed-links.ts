import type { Linkage, RemoteRecord } from '../../domain/record.ts';

/**
 * Of a record with many associations a list shows a few, and what stands behind them takes a request
 * of a small budget for each record. What was read lately is taken to hold as long as the same few are
 * shown.
 */
export interface ListedLinks {
  /** The record with what is known of its capped links. */
  complete(record: RemoteRecord): RemoteRecord;
  keep(id: string, field: string, ids: readonly string[]): void;
}

interface Kept {
  readonly ids: readonly string[];
  /** What was shown of it when it was read; null before the next list. */
  shown: string | null;
  readonly atMs: number;
}

const MOST_KEPT = 20_000;
/** A change behind what is shown is found within this. */
const HOLDS_MS = 12 * 3_600_000;

export function createListedLinks(nowMs = () => performance.now()): ListedLinks {
  const kept = new Map<string, Kept>();
  /** What the last list showed, of those that are about to be read whole. */
  const shownLately = new Map<string, string>();
  return {
    complete(record) {
      const links = Object.entries(record.links).map(([field, linkage]): [string, Linkage] => {
        if (linkage.ids.length >= linkage.total) return [field, linkage];
        const key = `${field} ${record.id}`;
        const shown = `${linkage.total} ${linkage.ids.toSorted().join(' ')}`;
        const known = kept.get(key);
        if (known !== undefined && nowMs() - known.atMs < HOLDS_MS && known.shown === shown) {
          return [field, { ids: known.ids, total: known.ids.length }];
        }
        shownLately.set(key, shown);
        trim(shownLately);
        return [field, linkage];
      });
      return { ...record, links: Object.fromEntries(links) };
    },
    keep(id, field, ids) {
      const key = `${field} ${id}`;
      kept.delete(key);
      kept.set(key, { ids, shown: shownLately.get(key) ?? null, atMs: nowMs() });
      trim(kept);
    },
  };
}

function trim(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > MOST_KEPT && oldest !== undefined) map.delete(oldest);
}
