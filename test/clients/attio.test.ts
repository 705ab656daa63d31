import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AttioEmulator, startAttio } from '../../src/emulator/attio/emulator.ts';
import { seenByNode, seenByPython } from './tools.ts';

// Other people's clients, each made from a copy of the API's published description, take what the
// emulator answers for right: call by call, every kind of value, and errors where there should be.

let emulator: AttioEmulator;
beforeAll(async () => {
  emulator = await startAttio({
    sizes: { people: 30, companies: 10, deals: 10, projects: 5 },
    switches: { readsPerSecond: 10_000, writesPerSecond: 10_000 },
  });
});
afterAll(() => emulator.stop());

test('attio-ts-sdk 2.3.0', async () => {
  const { right, wrong } = await seenByNode('attio.mjs', emulator.url);
  expect(wrong).toEqual({
    taken: expect.stringContaining('conflicts with one already in the system'),
    gone: expect.stringContaining('Could not find record'),
  });
  expect(right).toBeGreaterThan(140);
});

test('attio 0.26.1 of PyPI', async () => {
  const { right, wrong } = await seenByPython('attio_sdk.py', emulator.url);
  expect(wrong).toEqual({
    // Seen live, and missing in the description.
    taken: expect.stringContaining("input_value='uniqueness_conflict'"),
    'merged away': expect.stringContaining('Could not find record'),
    'webhook again': expect.stringContaining('UniquenessConflictError'),
  });
  expect(right).toBeGreaterThan(140);
});
