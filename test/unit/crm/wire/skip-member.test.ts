import fc from 'fast-check';
import { expect, test } from 'vitest';
import { skipMember } from '../../../../src/crm/wire/skip-member.ts';
import { createSpareBuffers } from '../../../../src/crm/wire/spare-buffers.ts';
import { page, person, pull, resource, withRemote } from '../clarify/scripted-server.ts';

/** What is left of a text that comes in pieces of so many bytes. */
function gather(text: string, pieces: readonly number[], mostBytes = 1_000_000): string {
  const body = createSpareBuffers(mostBytes).take();
  const wanted = skipMember('included')(body);
  const bytes = Buffer.from(text);
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const length = pieces[n % pieces.length] ?? 1;
    wanted.append(bytes.subarray(at, at + length));
    at += length;
  }
  return body.release();
}

/** Strings that look like what is searched for, in every depth. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('included', '"included":[1]', '\\', '\\"', ']}', '[{', '\\"included\\":['),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.constantFrom(null, true, -1.5e10, [], {}),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(text, tie('json'), { maxKeys: 4 }),
  ),
}));
/** `included` in some of the ways it can be written. */
const spelling = fc.constantFrom(
  '"included"',
  String.raw`"\u0069ncluded"`,
  String.raw`"inclu\u0064ed"`,
);
const blank = fc.constantFrom('', ' ', '\n\t ', '\r\n');
const place = fc.double({ noNaN: true });
const member = fc.record({ key: text.map((name) => JSON.stringify(name)), value: json, place });
const included = fc.record({ key: spelling, value: json, place });
const pieces = fc.array(fc.oneof(fc.nat(3), fc.integer({ min: 50, max: 140 })), { minLength: 1 });
const sizes = pieces.map((all) => all.map((size) => size + 1));

test('what is included is left out, wherever and however often it stands, however it is written', () => {
  fc.assert(
    fc.property(
      fc.array(member),
      fc.array(included),
      blank,
      sizes,
      (members, unwanted, gap, cuts) => {
        const all = [...members, ...unwanted].toSorted((one, other) => one.place - other.place);
        const write = (values: readonly (readonly [key: string, value: unknown])[]) => {
          const each = values.map(
            ([key, value]) => `${key}${gap}:${JSON.stringify(value, null, gap)}`,
          );
          return `${gap}{${gap}${each.join(`${gap},${gap}`)}${gap}}${gap}`;
        };
        const left = gather(write(all.map(({ key, value }) => [key, value] as const)), cuts);
        const hollow = all.map(
          ({ key, value }) => [key, isIncluded(key) ? emptied(value) : value] as const,
        );
        expect(withoutBlanks(left)).toBe(withoutBlanks(write(hollow)));
        expect(JSON.parse(left)).toEqual(JSON.parse(write(hollow)));
      },
    ),
    { numRuns: 500 },
  );
});

function isIncluded(key: string): boolean {
  return JSON.parse(key) === 'included';
}

function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return typeof value === 'object' && value !== null ? {} : value;
}

/** An emptied list keeps none, a written one may. */
function withoutBlanks(written: string): string {
  return written.replaceAll(/\s+/g, '');
}

test.each([
  '{"data":[{"attributes":{"included":[{"a":1}]}}]}',
  String.raw`{"data":"\"included\":[1]","included":[]}`,
  '[{"included":[1]}]',
  '"included":[1]',
  'plain text with "included":[1] in it',
  '{"included"',
  String.raw`{"\u00":[1],"includes":[1],"include":{"a":1}}`,
  '',
])('nothing else is touched: %s', (whole) => {
  for (const size of [1, 7, 1_000]) expect(gather(whole, [size])).toBe(whole);
});

test.each([
  ['{"data":[],"included":[1', '{"data":[],"included":['],
  ['{"included":[1}],"data":[1]}', '{"included":[}],"data":[1]}'],
])('what is no JSON does not become some: %s', (whole, left) => {
  for (const size of [1, 7, 1_000]) expect(gather(whole, [size])).toBe(left);
});

test('it counts for nothing: tens of MB are neither kept nor too long', () =>
  withRemote(
    () => {
      const whole = JSON.stringify(resource('c', { text: 'x'.repeat(10_000) }));
      return {
        raw(response) {
          const { data, ...rest } = page([resource('a'), resource('b')]);
          response.writeHead(200, { 'content-type': 'application/json' });
          response.write(`{"data":${JSON.stringify(data)},"included":[`);
          for (let n = 0; n < 1_000; n += 1) response.write(`${n === 0 ? '' : ','}${whole}`);
          response.end(`],${JSON.stringify(rest).slice(1)}`);
        },
      };
    },
    async (remote) => {
      const request = {
        object: person,
        orderBy: 'created',
        direction: 'asc',
        offset: 0,
        limit: 2,
        include: ['deals'],
      } as const;
      const read = await remote.readPage(request, pull);
      expect(read.records.map(({ id }) => id)).toEqual(['a', 'b']);
      expect(read.total).toBe(2);
    },
    { mostAnswerBytes: 1_000_000 },
  ));
