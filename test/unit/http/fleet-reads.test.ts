import { describe, expect, it } from 'vitest';
import { createFleetReads } from '../../../src/http/fleet-reads.ts';
import { away, fakeSource } from '../../support/fake-fleet.ts';

/** A clock that moves by what reading takes, and counts of what was read. */
function setUp({ takesMs = 0, count = 1, fails = false } = {}) {
  let nowMs = 0;
  let reads = 0;
  let atOnce = 0;
  let most = 0;
  const { read, known } = createFleetReads({
    count: () => count,
    monotonicMs: () => nowMs,
    async readOne() {
      reads += 1;
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      nowMs += takesMs;
      if (fails) throw away();
      return { objects: [], lease: null };
    },
  });
  return {
    read,
    known,
    pass: (ms: number) => {
      nowMs += ms;
    },
    reads: () => reads,
    most: () => most,
  };
}

describe('what is read of the workspaces of a fleet', () => {
  it('costs a twentieth of the time for all of them together', async () => {
    const { read, reads, pass } = setUp({ takesMs: 10, count: 100 });
    const source = fakeSource('acme');
    await read(source);
    pass(19_000);
    await read(source);
    expect(reads()).toBe(1);
    pass(2_000);
    await read(source);
    expect(reads()).toBe(2);
  });

  it('is never older than a minute, and never read twice in a second', async () => {
    const { read, reads, pass } = setUp({ takesMs: 1_000, count: 100 });
    const source = fakeSource('acme');
    await Promise.all([read(source), read(source)]);
    expect(reads()).toBe(1);
    pass(60_001);
    await read(source);
    expect(reads()).toBe(2);
  });

  it('is good for longer where somebody says so, unless it went wrong', async () => {
    for (const fails of [false, true]) {
      const { read, reads, pass } = setUp({ fails });
      const source = fakeSource('acme');
      await read(source);
      pass(30_000);
      await read(source, 60_000);
      expect(reads()).toBe(fails ? 2 : 1);
      await read(source);
      expect(reads()).toBe(2);
    }
  });

  it('is read two at a time in each database, whoever asks', async () => {
    const { read, most, reads } = setUp();
    const sources = Array.from({ length: 9 }, (_, n) => fakeSource(`w${n}`));
    await Promise.all(sources.map((source) => read(source)));
    expect(reads()).toBe(9);
    expect(most()).toBe(2);
  });

  it('keeps what was known where it cannot be read, and says why', async () => {
    const { read, known } = setUp({ fails: true });
    const source = fakeSource('acme');
    expect(known(source)).toBeNull();
    expect((await read(source)).problem?.code).toBe('database-unreachable');
    expect(known(source)?.objects).toEqual([]);
  });
});
