import type { Random } from '../random.ts';

const DAY_MS = 86_400_000;
const SPAN_MS = 3 * 365 * DAY_MS;

export interface Instants {
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly edited: boolean;
}

/** When the `index`-th of `count` records was created and last edited; a third never was. */
export function sampleInstants(
  random: Random,
  place: { readonly index: number; readonly count: number; readonly endMs: number },
): Instants {
  const { index, count, endMs } = place;
  const share = (index + random.next()) / count;
  const createdMs = Math.floor(endMs - SPAN_MS + share * SPAN_MS);
  const edited = random.next() < 0.66;
  const age = endMs - createdMs;
  const updatedMs = edited ? Math.floor(createdMs + random.next() ** 2 * age) : createdMs;
  return { createdMs, updatedMs, edited: updatedMs > createdMs };
}

/** `YYYY-MM-DD`, up to so many days before or after. */
export function sampleDate(random: Random, aroundMs: number, days: number): string {
  const ms = aroundMs + Math.floor((random.next() * 2 - 1) * days) * DAY_MS;
  return new Date(ms).toISOString().slice(0, 10);
}

export function sampleInstant(random: Random, aroundMs: number, days: number): string {
  return new Date(aroundMs + Math.floor((random.next() * 2 - 1) * days * DAY_MS)).toISOString();
}
