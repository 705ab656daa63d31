/** What reading the changes of each object took lately, for who may choose another way. */
export interface ReadingCosts {
  /** Requests of the last reading from the watermark; 1 where that is too long ago to tell, or unknown. */
  of(object: string): number;
  note(object: string, requests: number): void;
}

/** What a reading begins before the watermark is a minute; after half as much again it has moved on. */
const KEPT_MS = 90_000;

/** @param nowMs milliseconds by a clock that is never set. */
export function createReadingCosts(nowMs: () => number = () => performance.now()): ReadingCosts {
  const noted = new Map<string, { readonly requests: number; readonly atMs: number }>();
  return {
    of(object) {
      const last = noted.get(object);
      return last === undefined || nowMs() - last.atMs > KEPT_MS ? 1 : last.requests;
    },
    note(object, requests) {
      noted.set(object, { requests: Math.max(1, requests), atMs: nowMs() });
    },
  };
}
