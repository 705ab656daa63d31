/** A whole number, in threes. Not by `toLocaleString`, for which Node reads its tables of languages. */
export function showCount(count: number | bigint): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

export function showPlural(count: number, one: string, many = `${one}s`): string {
  return `${showCount(count)} ${count === 1 ? one : many}`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
];

/** A span of time in its largest fitting unit: `12 s`, `3 min`, `5 h`, `2 d`. */
export function showSeconds(seconds: number): string {
  for (const [unit, size] of UNITS) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return `${Math.max(0, Math.round(seconds))} s`;
}

/** How long ago an instant was, ISO-8601. */
export function showAgo(instant: string, nowMs: number): string {
  return `${showSeconds((nowMs - Date.parse(instant)) / 1_000)} ago`;
}
