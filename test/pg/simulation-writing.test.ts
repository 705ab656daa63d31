import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Arena, openArena } from '../simulation/arena.ts';
import { runHistory } from '../simulation/history.ts';

// As in simulation.test.ts, where the CRM takes one record a call, or changes in jobs.

const FIRST_SEED = 20_261_129;
const BUDGET_MS = 20_000;
let arena: Arena;

beforeAll(async () => {
  const { url, prefix } = inject('postgres');
  arena = await openArena(url, 'current', prefix);
});
afterAll(() => arena.drop());

test.each(['single', 'job'] as const)(
  '%s: both sides agree, and nothing is lost or doubled',
  { timeout: 300_000 },
  async (writing) => {
    const untilMs = performance.now() + BUDGET_MS;
    for (let seed = FIRST_SEED; performance.now() < untilMs; seed += 1) {
      const { problems } = await runHistory(arena, seed, { writing });
      expect(problems, `npm run simulate -- --writing ${writing} --seed ${seed}`).toEqual([]);
    }
  },
);
