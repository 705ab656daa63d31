/** What queries cost lately, over the whole workspace. */
export interface ScoreWindow {
  /** The sum of the last ten seconds. */
  used(): number;
  add(score: number): void;
  /** Until the oldest of them leaves the window; 0 where there is none. */
  leavesInMs(): number;
}

const WINDOW_MS = 10_000;

export function createScoreWindow(
  monotonicMs: () => number = () => performance.now(),
): ScoreWindow {
  let spent: { readonly atMs: number; readonly score: number }[] = [];
  return {
    used() {
      const since = monotonicMs() - WINDOW_MS;
      spent = spent.filter(({ atMs }) => atMs > since);
      return spent.reduce((sum, { score }) => sum + score, 0);
    },
    add(score) {
      if (score > 0) spent.push({ atMs: monotonicMs(), score });
    },
    leavesInMs: () => Math.max(0, (spent[0]?.atMs ?? 0) + WINDOW_MS - monotonicMs()),
  };
}

/** A few rows in any order cost nothing; a page of a hundred in an order costs 125. */
export function queryScore(rows: number, sorts: number): number {
  return sorts === 0 ? Math.max(0, rows - 10) : rows + 25 * sorts;
}
