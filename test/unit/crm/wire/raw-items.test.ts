import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeRawItems } from '../../../../src/crm/wire/raw-items.ts';
import { createSpareBuffers } from '../../../../src/crm/wire/spare-buffers.ts';
import { parseJson } from '../../../../src/domain/json.ts';

const buffers = createSpareBuffers(1_000_000);

function take(text: string, basis = 'one') {
  const body = buffers.take();
  body.append(Buffer.from(text));
  return takeRawItems(body, { member: 'data', basis });
}

const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('}', '{', ']', '\\', '"', '"},{"', '\\"}'),
  fc.jsonValue({ maxDepth: 3 }),
  // Longer than what is looked at in one piece.
  fc.constantFrom('x'.repeat(5_000), '"'.repeat(9_000), '}\\'.repeat(4_000)),
);
const item = fc.dictionary(fc.string(), value, { maxKeys: 4 });
const blank = fc.constantFrom('', ' ', '\n\t ', '\r\n');

test('items come one by one as they would all at once, and the rest without them, wherever the list stands', () => {
  const rest = fc.dictionary(
    fc.string().filter((name) => name !== 'data' && name !== '__proto__'),
    value,
    { maxKeys: 3 },
  );
  const parts = fc.tuple(fc.array(item, { maxLength: 6 }), rest, fc.nat(3), blank);
  fc.assert(
    fc.property(parts, ([items, others, place, gap]) => {
      const texts = items.map((one) => JSON.stringify(one));
      const list = `"data"${gap}:${gap}[${gap}${texts.join(`${gap},${gap}`)}${gap}]${gap}`;
      const members = Object.entries(others).map((pair) =>
        pair.map((one) => JSON.stringify(one)).join(`${gap}:${gap}`),
      );
      members.splice(place, 0, list);
      const taken = take(`${gap}{${gap}${members.join(`${gap},${gap}`)}${gap}}`);
      expect(taken?.items.digests.map((_, index) => taken.items.parse(index))).toEqual(
        texts.map(parseJson),
      );
      expect(JSON.parse(taken?.rest ?? '')).toEqual(
        JSON.parse(JSON.stringify({ data: [], ...others })),
      );
      taken?.items.release();
    }),
  );
});

test('an item has one digest wherever it stands, and another where it, or what it hangs on, differs', () => {
  const [first, second] = take('{"data":[{"a":1}, {"a":2}]}')?.items.digests ?? [];
  expect(take('{"data":[{"b":[]},{"a":1}],"meta":{}}')?.items.digests[1]).toBe(first);
  expect(second).not.toBe(first);
  expect(take('{"data":[{"a":1}]}', 'another')?.items.digests[0]).not.toBe(first);
  expect(take('{"data":[{ "a":1}]}')?.items.digests[0]).not.toBe(first);
});

test.each([
  '{"more":{"data":[{}]}}',
  '{"more":0 "data":[{}]}',
  '{"more":"\\\\","date":[{}]}',
  '{more:0,"data":[{}]}',
  '{"more',
  '',
  '{}',
  '[]',
  '{"data":{}}',
  '{"data":[1]}',
  '{"data":[{}',
  '{"data":[{},]}',
  '{"data":[{}{}]}',
  '{"data":[{"a":"}]}',
])('what has no list of objects is left to be read as a whole: %s', (text) => {
  expect(take(text)).toBeNull();
});
