import { expect, test } from 'vitest';
import { parseConfigFile } from '../../../../src/app/config/file.ts';
import { brevo } from '../../../../src/crm/brevo/adapter.ts';

const dialect = await brevo.objects?.();

function problems(entry: string): readonly string[] {
  const parsed = parseConfigFile(`objects:\n${entry}`, dialect);
  return 'problems' in parsed ? parsed.problems : [];
}

test.each([
  [
    '  vehicle: { fields: { plate: text, seats: { type: number } }, links: { owner: contacts } }',
    [],
  ],
  ['  vehicle:', []],
  ['  deals: { conflicts: manual, fields: { amount: { conflicts: remote } } }', []],
  [
    '  contacts: { fields: { AGE: number } }',
    ['objects.contacts.fields.AGE.type is for custom objects alone'],
  ],
  ['  company: {}', ['objects.company is called companies here']],
  ['  Vehicle: {}', ['objects.Vehicle is no object’s id, which has up to 32 of a-z, 0-9 and _']],
  [
    '  vehicle: { fields: { ext_id: text } }',
    ['objects.vehicle.fields.ext_id is there without being declared'],
  ],
  [
    '  vehicle: { links: { owner: contact } }',
    ['objects.vehicle.links.owner: it is called contacts'],
  ],
  ['  vehicle: { links: { at: garage } }', ['objects.vehicle.links.at: garage is not declared']],
  [
    '  vehicle: { links: { owner: contacts, driver: contacts } }',
    [
      'objects.vehicle.links.driver is the association that objects.vehicle.links.owner is: declare it once',
    ],
  ],
  [
    '  vehicle: { links: { at: garage } }\n  garage: { links: { cars: vehicle } }',
    [
      'objects.garage.links.cars is the association that objects.vehicle.links.at is: declare it once',
    ],
  ],
])('%s', (entry, expected) => {
  expect(problems(entry)).toEqual(expected);
});
