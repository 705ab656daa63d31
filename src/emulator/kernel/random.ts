/** Numbers that look random and come out the same for the same seed. */
export interface Random {
  /** 0 ≤ x < 1 */
  next(): number;
  /** 0 ≤ n < below */
  int(below: number): number;
}

/** sfc32, its state filled from the text; good enough for sample data, no good for secrets. */
export function seededRandom(seed: string): Random {
  let [a, b, c, d] = hash128(seed);
  const next32 = (): number => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i += 1) next32();
  return {
    next: () => next32() / 4294967296,
    int: (below) => Math.floor((next32() / 4294967296) * below),
  };
}

function hash128(text: string): [number, number, number, number] {
  const state: [number, number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    state[0] = Math.imul(state[0] ^ code, 0x85ebca6b);
    state[1] = Math.imul(state[1] ^ (code + i), 0xc2b2ae35);
    state[2] = Math.imul(state[2] ^ state[0], 0x27d4eb2f);
  }
  return state;
}

/** @throws RangeError for an empty list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[random.int(list.length)];
  if (item === undefined) throw new RangeError('cannot pick from an empty list');
  return item;
}

export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const keyed = list.map((item) => ({ item, key: random.next() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}

const HEX = '0123456789abcdef';

/** A UUID of version 4's form. */
export function uuid(random: Random): string {
  // Written as bytes: a string put together from pieces takes three times the memory.
  const bytes = Buffer.from('xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx', 'latin1');
  let bits = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    if (i === 8 || i === 13 || i === 14 || i === 18 || i === 23) continue;
    if (bits < 16) bits = 0x10000000 + random.int(0x10000000);
    const digit = bits & 15;
    bits >>>= 4;
    bytes[i] = HEX.charCodeAt(i === 19 ? 8 + (digit & 3) : digit);
  }
  return bytes.toString('latin1');
}
