import { seededRandom } from '../../src/emulator/kernel/random.ts';

/** Draws that come out the same for the same seed. */
export interface Chance {
  /** Whole, from `low` to `high`. */
  int(low: number, high: number): number;
  of<T>(items: readonly T[]): T;
  /** Undefined where there is nothing to draw from. */
  any<T>(items: readonly T[]): T | undefined;
  /** True once in `times`. */
  once(times: number): boolean;
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T;
  next(): number;
}

export function createChance(seed: string): Chance {
  const random = seededRandom(seed);
  const any = <T>(items: readonly T[]): T | undefined => items[random.int(items.length || 1)];
  return {
    next: () => random.next(),
    int: (low, high) => low + random.int(high - low + 1),
    any,
    of(items) {
      const item = any(items);
      if (item === undefined) throw new RangeError('nothing to draw from');
      return item;
    },
    once: (times) => random.int(times) === 0,
    weighted(choices) {
      const total = choices.reduce((sum, [weight]) => sum + weight, 0);
      let drawn = random.next() * total;
      for (const [weight, choice] of choices) {
        drawn -= weight;
        if (drawn < 0) return choice;
      }
      throw new RangeError('nothing to draw from');
    },
  };
}
