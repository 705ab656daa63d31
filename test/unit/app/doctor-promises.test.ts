import { expect, test } from 'vitest';
import { checkPromises } from '../../../src/app/doctor/promises.ts';
import { CAPABILITIES } from '../../../src/crm/clarify/capabilities.ts';
import type { Capabilities } from '../../../src/domain/capabilities.ts';
import { objectOf } from '../mirror/schemas.ts';

const objects = [objectOf('person', []), objectOf('vehicle', [])];

function told(vehicle: Partial<Capabilities>, person: Partial<Capabilities> = {}) {
  const remote = {
    capabilitiesOf: (object: string): Capabilities => ({
      ...CAPABILITIES,
      ...(object === 'vehicle' ? vehicle : person),
    }),
  };
  return checkPromises(remote, objects).map(({ detail }) => detail);
}

test('where everything is told, nothing is said', () => {
  expect(told({})).toEqual([]);
});

test.each<[Partial<Capabilities>, RegExp]>([
  [{ changes: { kind: 'full-scan', by: 'position' } }, /^vehicle: a change is found when/],
  [{ deletions: { kind: 'scan', proof: 'read' } }, /^vehicle: a deletion is found when/],
  [{ deletions: { kind: 'scan', proof: 'scan' } }, /^vehicle: a deletion is believed once/],
  [{ fieldTimes: 'none' }, /^vehicle: `newest` goes by .* not certain$/],
  [{ creating: { kind: 'created-since' } }, /^vehicle: a create whose answer was lost/],
  [{ removal: 'archive' }, /^vehicle: a deleted row archives its record, and only/],
  [{ removal: 'restorable' }, /^vehicle: a deleted row archives its record$/],
  [
    { writing: { kind: 'job', settleMs: 1, firstPollMs: 1, longestMs: 1 } },
    /^vehicle: a write is done once its record shows it/,
  ],
])('%j is told of the objects it is about', (can, says) => {
  expect(told(can)).toEqual([expect.stringMatching(says)]);
});

test('what holds of every object is told once', () => {
  expect(told({ fieldTimes: 'none' }, { fieldTimes: 'none' })).toEqual([
    expect.stringMatching(/^every object: /),
  ]);
});
