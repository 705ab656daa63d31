import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Arena, openArena } from '../simulation/arena.ts';
import { live } from '../simulation/history.ts';
import type { Mutation } from '../simulation/mortal.ts';
import { MUTANTS, type Mutant, mutationOf } from '../simulation/mutants.ts';

// The simulation has to notice when a guarantee is gone, or its passing means nothing.

let arena: Arena;

beforeAll(async () => {
  const { url, prefix } = inject('postgres');
  arena = await openArena(url, 'current', prefix);
});
afterAll(() => arena.drop());

async function problemsOf(
  { scenario, writing = 'bulk' }: Mutant,
  mutate: Mutation,
): Promise<readonly string[]> {
  const options = { seed: '1', switches: { ratePerMinute: 1_000_000 }, mutate, writing } as const;
  const { problems } = await live(arena, { ...options, policy: 'newest' }, scenario);
  return problems;
}

test.each(MUTANTS)('$name: noticed', { timeout: 180_000 }, async (mutant) => {
  expect(await problemsOf(mutant, (text) => text)).toEqual([]);
  const { mutate, missed } = mutationOf(mutant);
  const problems = await problemsOf(mutant, mutate);
  expect(missed()).toEqual([]);
  expect(problems).not.toEqual([]);
});
