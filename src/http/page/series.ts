import type { ActivityBucket } from '../../db/service/activity.ts';

export interface SeriesOptions {
  /** The end of the last bucket: now, epoch seconds. */
  readonly nowSeconds: number;
  readonly bucketSeconds: number;
  readonly buckets: number;
}

/** One value per bucket, oldest first. */
export interface Series {
  /** Epoch seconds at which each bucket begins. */
  readonly at: readonly number[];
  readonly pulled: readonly number[];
  readonly pushed: readonly number[];
  /** Of the object that lagged most; null before anything is known. */
  readonly lagSeconds: readonly (number | null)[];
}

/** Where the first bucket begins: the last one is under way. */
export function seriesStart({ nowSeconds, bucketSeconds, buckets }: SeriesOptions): number {
  return (Math.floor(nowSeconds / bucketSeconds) - buckets + 1) * bucketSeconds;
}

/**
 * Puts what was counted into equal buckets. The lag of an object grows as long as no complete pull
 * ends: silence is not health.
 */
export function toSeries(activity: readonly ActivityBucket[], options: SeriesOptions): Series {
  const { nowSeconds, bucketSeconds, buckets } = options;
  const start = seriesStart(options);
  const at = Array.from({ length: buckets }, (_, n) => start + n * bucketSeconds);
  const lastPull = new Map<string, number>();
  const sum = (rows: readonly ActivityBucket[], of: 'pulled' | 'pushed') =>
    rows.reduce((total, row) => total + row[of], 0);
  const rowsOf = (bucket: number) => activity.filter((one) => one.at === bucket);
  const lagSeconds = at.map((bucket) => {
    const end = Math.min(bucket + bucketSeconds, nowSeconds);
    const lags: number[] = [];
    for (const { object, lagSeconds: lag, pulledAt } of rowsOf(bucket)) {
      if (lag !== null) lags.push(lag);
      if (object !== null && pulledAt !== null) lastPull.set(object, pulledAt);
    }
    for (const pulledAt of lastPull.values()) lags.push(end - pulledAt);
    return lags.length === 0 ? null : Math.max(0, ...lags);
  });
  return {
    at,
    pulled: at.map((bucket) => sum(rowsOf(bucket), 'pulled')),
    pushed: at.map((bucket) => sum(rowsOf(bucket), 'pushed')),
    lagSeconds,
  };
}
