import { expect, test } from 'vitest';
import { equalValues, itemKey, sameValue } from '../../../src/domain/equal.ts';
import { normalForm, normalValue } from '../../../src/domain/normal-form.ts';

test.each([
  ['https://Acme.com/about?x#y', 'acme.com'],
  ['http://user@acme.com:8080', 'acme.com'],
  ['acme.com.', 'acme.com'],
  [' ACME.com ', 'acme.com'],
  ['www.acme.com', 'acme.com'],
  ['https://WWW.Acme.com/about', 'acme.com'],
  ['www.com', 'www.com'],
])('the host of %s', (text, host) => {
  expect(normalForm('host', text)).toBe(host);
});

test.each([
  ['+1 (415) 555-0100', '+14155550100'],
  ['+33 1.23.45–67/89', '+33123456789'],
  ['0123', '0123'],
])('the number in %s', (text, number) => {
  expect(normalForm('phone', text)).toBe(number);
});

test('a text without the spaces at its ends', () => {
  expect(normalForm('trimmed', '  a  b \n')).toBe('a  b');
});

const base = {
  name: 'x',
  label: null,
  unique: false,
  caseInsensitive: false,
  parts: [],
  relationship: null,
};

test('values of one normal form are equal, and still not the same to whoever wrote them', () => {
  const phones = { ...base, kind: 'texts', normal: 'phone' } as const;
  const sent = ['+1 (415) 555-0100'];
  const kept = ['+14155550100'];
  expect(equalValues(phones, sent, kept)).toBe(true);
  expect(equalValues(phones, sent, ['+14155550101'])).toBe(false);
  expect(sameValue(phones, sent, kept)).toBe(false);
  expect(itemKey(phones, '+1 415 555 0100')).toBe('+14155550100');
  const site = { ...base, kind: 'text', normal: 'host' } as const;
  expect(equalValues(site, 'https://acme.com', 'acme.com')).toBe(true);
  expect(equalValues({ ...base, kind: 'text' }, 'https://acme.com', 'acme.com')).toBe(false);
});

test('a text that is nothing but spaces is none, where they are not kept', () => {
  const trimmed = { ...base, kind: 'text', normal: 'trimmed' } as const;
  expect(equalValues(trimmed, '  ', null)).toBe(true);
  expect(equalValues(trimmed, 'a ', 'a')).toBe(true);
  expect(equalValues(trimmed, 'a', null)).toBe(false);
  expect(sameValue(trimmed, '', null)).toBe(false);
  expect(equalValues({ ...base, kind: 'text' }, '', null)).toBe(false);
});

test.each([
  [{ first_name: 'Ada' }, { first_name: 'Ada', last_name: '', full_name: 'Ada' }],
  ['Ek, Ada', { first_name: 'Ada', last_name: 'Ek', full_name: 'Ada Ek' }],
  ['Ada Ek', { first_name: 'Ada Ek', last_name: '', full_name: 'Ada Ek' }],
  [{ full_name: 'Dr. Ek' }, { first_name: '', last_name: '', full_name: 'Dr. Ek' }],
])('the three parts of the name %j', (value, parts) => {
  expect(normalValue('person', value)).toEqual(parts);
  expect(normalValue('person', parts)).toEqual(parts);
});

test('a place by what it says, in whatever way it leaves the rest out', () => {
  const place = { ...base, kind: 'json', normal: 'place' } as const;
  const kept = { locality: 'Oslo', region: null, latitude: '59.91', longitude: null };
  expect(equalValues(place, { latitude: 59.91, locality: 'Oslo' }, kept)).toBe(true);
  expect(equalValues(place, { latitude: 59.91, locality: 'Bergen' }, kept)).toBe(false);
  expect(sameValue(place, { latitude: 59.91, locality: 'Oslo' }, kept)).toBe(false);
});
