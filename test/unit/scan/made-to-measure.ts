import { type Outcome, type ScanModule, START_MS, scan } from './history.ts';
import { type ListModes, ListServer } from './list-server.ts';

const HOUR_MS = 3_600_000;

/** Everything as it should be, but no totals. */
export const tidy: ListModes = {
  order: 'created',
  direction: 'asc',
  ties: 'stable',
  pageCap: 1_000,
  total: 'none',
  more: 'told',
  dates: 'both',
  stamps: 'ms',
  strict: false,
  delayMs: 0,
  early: 0,
};

/** A list and what happens to it between two pages, to the letter. */
export interface Made {
  readonly modes: Partial<ListModes>;
  /** Of the records 1, 2, 3 …: how long before the start each was made and edited last. */
  readonly agesMs: readonly number[];
  readonly limit: number;
  /** After the page with this number. */
  readonly after?: Readonly<Record<number, (server: ListServer) => void>>;
  readonly seed?: number;
}

/** Records 1 to `count`, an hour between each and the next, the last one an hour old. */
export function hourly(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => (count - i) * HOUR_MS);
}

/** So many made and edited at one time, a day ago. */
export function alike(count: number): readonly number[] {
  return Array.from({ length: count }, () => 24 * HOUR_MS);
}

export function ids(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
}

/** @throws LostRecord where a scan says `ok` and has left out somebody. */
export function playMade(made: Made, module: ScanModule): Outcome {
  const server = new ListServer({ ...tidy, ...made.modes }, made.seed ?? 1, START_MS);
  for (const ageMs of made.agesMs) server.seed(START_MS - ageMs, START_MS - ageMs);
  let pages = 0;
  const meanwhile = () => {
    pages += 1;
    server.pass(1_000);
    made.after?.[pages]?.(server);
  };
  return scan(server, module, { limit: made.limit, meanwhile });
}
