import { expect, test } from 'vitest';
import * as z from 'zod';
import { objectSettings, toFileSettings } from '../../../src/app/config/config.ts';
import { parseConfigFile } from '../../../src/app/config/file.ts';
import type { ObjectDialect } from '../../../src/crm/adapter.ts';

// What a CRM's adapter lets an object's entry say beside what every object's may.

const dialect: ObjectDialect = {
  keys: { links: z.record(z.string(), z.string()).optional() },
  fieldKeys: { type: z.enum(['text', 'number']).optional() },
  fieldShorthand: 'type',
  check: (objects) =>
    Object.keys(objects)
      .filter((object) => object === 'contact')
      .map((object) => `${object} is no object of its own`),
};

const text = `
objects:
  vehicle:
    fields: { plate: text, price: { type: number, conflicts: remote } }
    links: { owner: contacts }
    scan: 6h
    key: plate
`;

test('its keys stand beside those of every object, a field’s in short or in full', () => {
  const parsed = parseConfigFile(text, dialect);
  expect(parsed).toMatchObject({
    settings: {
      objects: {
        vehicle: {
          fields: { plate: { type: 'text' }, price: { type: 'number', conflicts: 'remote' } },
          links: { owner: 'contacts' },
          scan: 21_600_000,
          key: 'plate',
        },
      },
    },
  });
  if (!('settings' in parsed)) throw new Error('not parsed');
  const settings = objectSettings(toFileSettings(parsed.settings), 'vehicle');
  expect(settings.scanMs).toBe(21_600_000);
  expect(settings.conflictsOf('price')).toBe('remote');
  expect(settings.conflictsOf('plate')).toBe('newest');
});

test('they are mistakes for every other CRM', () => {
  expect(parseConfigFile(text)).toEqual({
    problems: [
      'objects.vehicle.fields.plate must be a mapping',
      'objects.vehicle.fields.price.type is not a known setting',
      'objects.vehicle.links is not a known setting',
    ],
  });
});

test.each([
  ['fields: { plate: txt }', 'objects.vehicle.fields.plate.type must be one of text, number'],
  ['fields: { plate: { typ: text } }', 'objects.vehicle.fields.plate.typ is not a known setting'],
  [
    'fields: { plate: { conflicts: x } }',
    'objects.vehicle.fields.plate.conflicts must be one of newest, remote, local, manual',
  ],
  ['links: { owner: 7 }', 'objects.vehicle.links.owner must be of type string'],
  ['links: [owner]', 'objects.vehicle.links must be a mapping'],
])('names what is wrong with `%s` by its path', (entry, problem) => {
  expect(parseConfigFile(`objects: { vehicle: { ${entry} } }`, dialect)).toEqual({
    problems: [problem],
  });
});

test('names what no key has by itself', () => {
  expect(parseConfigFile('objects: { contact: {} }', dialect)).toEqual({
    problems: ['objects.contact is no object of its own'],
  });
});
