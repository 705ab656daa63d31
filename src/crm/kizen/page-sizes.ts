import { createPageLimit } from '../wire/page-limit.ts';
import { type NumberedPage, planPage } from './page-plan.ts';

/** A server that refuses the largest takes the default. */
const SIZES = [1_000, 100, 25] as const;
/** Pages that are short for another reason than a cap are so again and again. */
const MOST_CUTS = 2;
/** Whoever leaves out what the key may not see does so on many pages. */
const MOST_GAPS = 2;
/** A page as long as that lacks little. */
const LITTLE = 0.75;

interface Answer {
  readonly length: number;
  readonly more: boolean;
}

interface Read<T> {
  readonly answer: T;
  readonly page: NumberedPage;
  /** Though there is more behind it. */
  readonly isShort: boolean;
}

export interface PageSizes {
  /** Records that a page may hold, as far as it is known. */
  readonly size: number;
  /**
   * Reads the page that holds position `offset`, as long as the server takes it.
   *
   * @param read gives how many records came, and whether there are more behind them.
   */
  request<T extends Answer>(
    wanted: { readonly offset: number; readonly limit: number },
    read: (page: NumberedPage) => Promise<T>,
  ): Promise<{ readonly answer: T; readonly page: NumberedPage }>;
}

/**
 * How large pages may be: a size above the cap is refused, or cut down without a word. One that is
 * cut down begins elsewhere than one of the size that was asked for, all but the first: the cap has
 * to be known to know where a page stands. Learned once, for every object.
 */
export function createPageSizes(): PageSizes {
  const limit = createPageLimit(SIZES);
  let cap: number = SIZES[0];
  /** The largest size that was given in full. */
  let proven = 0;
  let cuts = 0;
  /** Pages that were short for another reason. */
  let gaps = 0;

  async function readPage<T extends Answer>(
    page: NumberedPage,
    read: (page: NumberedPage) => Promise<T>,
  ): Promise<Read<T>> {
    const answer = await read(page);
    const isFull = answer.length >= page.size;
    if (isFull) proven = Math.max(proven, page.size);
    return { answer, page, isShort: !isFull && answer.more && answer.length > 0 };
  }

  return {
    get size() {
      return Math.min(cap, limit.size);
    },
    async request(wanted, read) {
      return await limit.request(Math.min(wanted.limit, cap), async (most) => {
        const first = await readPage(planPage(wanted.offset, most), read);
        const { length } = first.answer;
        if (!first.isShort) return first;
        if (first.page.page === 1) {
          if (first.page.size > proven && cuts < MOST_CUTS) {
            cuts += 1;
            cap = Math.min(cap, length);
          }
          return first;
        }
        // It may stand elsewhere: a server that took more until now may have been given a cap.
        if (gaps >= MOST_GAPS) return first;
        const again = await readPage(planPage(wanted.offset, Math.min(most, length)), read);
        // Nor may it go down little by little.
        if (again.isShort || length > first.page.size * LITTLE) gaps += 1;
        if (!again.isShort) {
          cap = Math.min(cap, length);
          proven = Math.min(proven, cap);
        }
        return again;
      });
    },
  };
}
