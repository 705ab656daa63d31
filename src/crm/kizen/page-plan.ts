import { numberedPage } from '../wire/numbered-page.ts';

/** One page of a list that is known by numbered pages. */
export interface NumberedPage {
  /** From 1 on. */
  readonly page: number;
  readonly size: number;
  /** Position of its first record. */
  readonly offset: number;
}

/** The page of at most `most` records that holds position `offset` and reaches farthest behind it. */
export function planPage(offset: number, most: number): NumberedPage {
  const { number, ...page } = numberedPage(offset, most);
  return { page: number, ...page };
}
