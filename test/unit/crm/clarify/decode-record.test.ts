import { expect, test } from 'vitest';
import { createDecoder } from '../../../../src/crm/clarify/decode-record.ts';
import { createWireForms } from '../../../../src/crm/clarify/wire-forms.ts';
import { objectOf } from '../../mirror/schemas.ts';

const decoder = createDecoder(createWireForms());
const thing = objectOf('thing', []);

test.each([
  [null, 'shape'],
  ['a', 'shape'],
  [[], 'shape'],
  [{ attributes: {} }, 'id'],
  [{ id: '', attributes: {} }, 'id'],
  [{ id: 7, attributes: {} }, 'id'],
  [{ id: 'a' }, 'attributes'],
  [{ id: 'a', attributes: null }, 'attributes'],
  [{ id: 'a', attributes: [] }, 'attributes'],
])('%j is no record: it has no usable %s', (item, part) => {
  expect(() => decoder.record(thing, item)).toThrow(`no usable ${part}`);
});

test('a record needs an id and attributes, and nothing else', () => {
  expect(decoder.record(thing, { id: 'a', attributes: {} })).toMatchObject({
    id: 'a',
    fields: {},
    createdAt: null,
    mergedIds: [],
    links: {},
  });
});
