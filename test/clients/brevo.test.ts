import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BrevoEmulator, startBrevo } from '../../src/emulator/brevo/emulator.ts';
import { seenByNode, seenByPython } from './tools.ts';

// The vendor's clients of Brevo, call by call. What they are refused is what has to be refused.

let emulator: BrevoEmulator;
beforeEach(async () => {
  emulator = await startBrevo({
    sizes: { contacts: 40, companies: 10, deals: 10, vehicle: 10, trip: 5 },
    switches: { othersPerHour: 0, contactsPerSecond: 0, jobMs: 0 },
  });
});
afterEach(() => emulator.stop());

const refused = {
  'create again': expect.stringContaining('already associated with another Contact'),
  batch: expect.stringContaining('could not be found'),
  'records of a standard object': expect.stringContaining('permission_denied'),
  'company gone': expect.stringContaining('Document not found'),
  'contact gone': expect.stringContaining('Contact does not exist'),
};

test('@getbrevo/brevo 6.0.3 of npm', async () => {
  const { right, wrong } = await seenByNode('brevo.mjs', emulator.url);
  expect(wrong).toEqual(refused);
  expect(right).toBeGreaterThan(60);
});

test('brevo-python 5.1.0 of PyPI', async () => {
  const { right, wrong } = await seenByPython('brevo_sdk.py', emulator.url);
  expect(wrong).toEqual(refused);
  expect(right).toBeGreaterThan(60);
});
