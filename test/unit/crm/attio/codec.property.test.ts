import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AttioObject, createCatalog } from '../../../../src/crm/attio/attribute.ts';
import { createDecoder } from '../../../../src/crm/attio/decode-record.ts';
import { LOCATION_KEYS } from '../../../../src/crm/attio/decode-value.ts';
import { encodeFields } from '../../../../src/crm/attio/encode-record.ts';
import { schemasOf } from '../../../../src/crm/attio/fields.ts';
import { cutInstant, endOf, sortable } from '../../../../src/crm/attio/instants.ts';
import { equalValues } from '../../../../src/domain/equal.ts';
import { type Json, parseJson, stringifyJson } from '../../../../src/domain/json.ts';
import { record, value } from './scripted-attio.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 });
const id = fc.uuid();
const text = fc.string();

/** By type: values, and how Attio would read back what was written. */
const types: Readonly<
  Record<string, { readonly of: fc.Arbitrary<Json>; readonly read: (written: Json) => object }>
> = {
  text: { of: text, read: (written) => ({ value: written }) },
  number: { of: number, read: (written) => ({ value: written }) },
  rating: { of: fc.integer({ min: 0, max: 5 }), read: (written) => ({ value: written }) },
  checkbox: { of: fc.boolean(), read: (written) => ({ value: written }) },
  currency: {
    of: fc.integer().map((n) => n / 10_000),
    read: (written) => ({ currency_value: written, currency_code: 'USD' }),
  },
  select: { of: text, read: (title) => ({ option: { id: {}, title, is_archived: false } }) },
  status: { of: text, read: (title) => ({ status: { id: {}, title, is_archived: false } }) },
  'email-address': { of: fc.emailAddress(), read: (written) => ({ email_address: written }) },
  domain: { of: fc.domain(), read: (domain) => ({ domain }) },
  'phone-number': { of: text, read: (written) => ({ phone_number: written }) },
  'actor-reference': { of: id, read: spread },
  'record-reference': { of: id, read: spread },
  'personal-name': {
    of: fc.record({ first_name: text, last_name: text, full_name: text }),
    read: spread,
  },
  location: {
    of: fc
      .array(fc.option(text), { minLength: 10, maxLength: 10 })
      .map((parts) => Object.fromEntries(LOCATION_KEYS.map((key, at) => [key, parts[at] ?? null]))),
    read: spread,
  },
};

/** Written as an object, read with the same keys. */
function spread(written: Json): object {
  return Object(written) as object;
}

const other: AttioObject = {
  id: 'other',
  slug: 'others',
  singular: 'Other',
  plural: 'Others',
  attributes: new Map(),
};

function objectWith(type: string, isMulti: boolean): AttioObject {
  const x = {
    id: 'x-id',
    slug: 'x',
    title: 'X',
    type,
    isMulti,
    isUnique: false,
    isWritable: true,
    isArchived: false,
    pair: null,
    allowedIds: type === 'record-reference' ? ['other'] : null,
  };
  return {
    id: 'one',
    slug: 'ones',
    singular: 'One',
    plural: 'Ones',
    attributes: new Map([['x', x]]),
  };
}

const cases = Object.keys(types).flatMap((type) =>
  // Several references are links.
  (type === 'record-reference' ? [false] : [false, true]).map(
    (isMulti) => [type, isMulti] as const,
  ),
);

test.each(cases)('%s, several: %s, comes back as it was written', (type, isMulti) => {
  const kind = types[type];
  if (kind === undefined) throw new Error(type);
  const object = objectWith(type, isMulti);
  const catalog = createCatalog();
  catalog.replace([object, other]);
  const [schema] = schemasOf([object, other]);
  const field = schema?.fields[0];
  if (schema === undefined || field === undefined) throw new Error('no field');
  const decoder = createDecoder(catalog);
  const held = isMulti ? fc.array(kind.of, { maxLength: 3 }) : fc.option(kind.of);
  fc.assert(
    fc.property(held, (sent: Json) => {
      const encoding = { object, byId: catalog.byId, endpoint: 'PUT' };
      const written = parseJson(stringifyJson(encodeFields(encoding, { x: sent }))) as {
        readonly x: readonly Json[];
      };
      // Always a list: nothing else clears, or fits every reading.
      expect(Array.isArray(written.x)).toBe(true);
      const values = written.x.map((one) => value({ ...kind.read(one), attribute_type: type }));
      const read = decoder.record(schema, record('r', { x: values })).fields['x'];
      expect(equalValues(field, sent, read ?? null)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

const instant = fc
  .tuple(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), fc.nat(999_999))
  .map(([date, nanos]) => date.toISOString().replace('Z', `${String(nanos).padStart(6, '0')}Z`));

test('instants are cut, never rounded, and sort by their nanoseconds', () => {
  fc.assert(
    fc.property(instant, instant, (a, b) => {
      const cut = cutInstant(a);
      expect(a.startsWith(cut.slice(0, -1))).toBe(true);
      expect(cut.length - 1).toBeLessThanOrEqual('2026-01-01T00:00:00.123456'.length);
      expect((sortable(a) ?? '') < (sortable(b) ?? '')).toBe(a < b);
      const ms = `${a.slice(0, 23)}Z`;
      expect(a <= endOf(ms)).toBe(true);
    }),
  );
});
