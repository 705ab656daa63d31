import type { LinkedPage } from '../conflicts/link-pages.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { PageRequest } from '../domain/remote.ts';

/** How a round over everything reads: its own position, a page at a time. */
export interface Round {
  /** The page to ask for next; null where it is through. */
  next(): Omit<PageRequest, 'object' | 'include'> | null;
  /** Takes in the answer to `next`. */
  take(page: LinkedPage): RoundPage;
}

/** What a page came to. */
export interface RoundPage {
  readonly records: readonly RemoteRecord[];
  /** Ids of those that may have come since the round began. */
  readonly joined: readonly string[];
  /** Which time over the list it was. */
  readonly pass: number;
  /** Everything created before this has been read; null where that is not known. */
  readonly watermark: string | null;
  /** Records from this page on, where the server says. */
  readonly left: number | null;
  /** Passes for which it has to be counted whom they showed, before the round can go on. */
  readonly asksCount: number;
  conclude(seen: readonly number[]): RoundStanding;
}

export interface RoundStanding {
  readonly finished: boolean;
  /** Why its pages prove nothing. */
  readonly problem: string | null;
  /** Where a reading by positions stands, to be stored. */
  readonly position: object | null;
}
