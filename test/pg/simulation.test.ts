import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Arena, openArena } from '../simulation/arena.ts';
import { dialectOf, runHistory } from '../simulation/history.ts';

// Invariants 2 to 9 under every kind of trouble at once. More of it: npm run simulate.

const FIRST_SEED = 20_260_820;
const BUDGET_MS = 40_000;
const arenas = new Map<string, Arena>();

beforeAll(async () => {
  const { url, prefix } = inject('postgres');
  for (const dialect of ['current', 'classic'] as const)
    arenas.set(dialect, await openArena(url, dialect, prefix));
});
afterAll(async () => {
  for (const arena of arenas.values()) await arena.drop();
});

// As many as there is time for. Each ends by itself, also where nothing comes of it.
test('both sides agree, and nothing is lost or doubled', { timeout: 300_000 }, async () => {
  const untilMs = performance.now() + BUDGET_MS;
  for (let seed = FIRST_SEED; performance.now() < untilMs; seed += 1) {
    const arena = arenas.get(dialectOf(seed));
    if (!arena) throw new Error('no such dialect');
    const { problems } = await runHistory(arena, seed);
    expect(problems, `npm run simulate -- --seed ${seed}`).toEqual([]);
  }
});
