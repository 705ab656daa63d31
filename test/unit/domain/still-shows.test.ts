import { expect, test } from 'vitest';
import type { Json } from '../../../src/domain/json.ts';
import type { FieldKind } from '../../../src/domain/schema.ts';
import { stillShows } from '../../../src/domain/still-shows.ts';
import { field } from '../../support/fields.ts';

test.each<[FieldKind, Json, Json, boolean]>([
  ['text', 'a', 'a', true],
  ['text', 'a', 'b', false],
  ['number', 2.5, 2.50000001, true],
  ['timestamp', '2026-08-20T10:00:00.000Z', '2026-08-20T10:00:00+00:00', true],
  ['texts', [], null, true],
  ['json', { first: 'A' }, { first: 'A', full: 'A' }, true],
  ['json', { first: 'A', last: null }, { first: 'A' }, true],
  ['json', { first: 'A' }, { first: 'B', full: 'B' }, false],
  ['json', { first: 'A' }, null, false],
  ['json', null, { first: 'A' }, false],
  ['json', {}, { first: 'A' }, false],
  ['json', ['A'], { 0: 'A' }, false],
])('%s sent as %j and shown as %j', (kind, sent, shown, expected) => {
  expect(stillShows(field('it', kind), sent, shown)).toBe(expected);
});
