import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Arena, openArena } from '../simulation/arena.ts';
import { runHistory } from '../simulation/history.ts';
import { MUTANTS, mutationOf } from '../simulation/mutants.ts';

// The simulation has to notice when a guarantee is gone, or its passing means nothing.

const MOST_HISTORIES = 60;
let arena: Arena;

beforeAll(async () => {
  const { url, prefix } = inject('postgres');
  arena = await openArena(url, 'current', prefix);
});
afterAll(() => arena.drop());

test.each(MUTANTS)('$name: noticed', { timeout: 300_000 }, async (mutant) => {
  const { mutate, hits } = mutationOf(mutant);
  let problems: readonly string[] = [];
  for (let seed = mutant.from; seed < mutant.from + MOST_HISTORIES; seed += 1) {
    ({ problems } = await runHistory(arena, seed, { mutate }));
    if (problems.length > 0) break;
  }
  expect(hits()).toBeGreaterThan(0);
  expect(problems).not.toEqual([]);
});
