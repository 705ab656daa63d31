import fc from 'fast-check';
import { expect, test } from 'vitest';
import { skipIncluded } from '../../../src/clarify/skip-included.ts';
import { createSpareBuffers } from '../../../src/clarify/spare-buffers.ts';
import { page, person, pull, resource, withRemote } from './scripted-server.ts';

/** What is left of a text that comes in pieces of so many bytes. */
function gather(text: string, pieces: readonly number[], mostBytes = 1_000_000): string {
  const body = createSpareBuffers(mostBytes).take();
  const wanted = skipIncluded(body);
  const bytes = Buffer.from(text);
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const length = pieces[n % pieces.length] ?? 1;
    wanted.append(bytes.subarray(at, at + length));
    at += length;
  }
  return body.release();
}

const json = fc.jsonValue();
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });

test('what is included is left out, wherever it stands and however it comes in', () => {
  fc.assert(
    fc.property(json, fc.array(json), pieces, fc.boolean(), (data, included, sizes, first) => {
      const rest = { data, links: { included: [1] }, 'x"included"': [{ included: [data] }] };
      const answer = first ? { included, ...rest } : { ...rest, included };
      for (const space of [0, 2]) {
        const left = gather(JSON.stringify(answer, null, space), sizes);
        expect(JSON.parse(left)).toEqual(JSON.parse(JSON.stringify({ ...answer, included: [] })));
      }
    }),
  );
});

test.each([
  '{"data":[{"attributes":{"included":[{"a":1}]}}]}',
  '{"data":"\\"included\\":[1]","included":[]}',
  '{"included":{"a":[1]},"data":[]}',
  '[{"included":[1]}]',
  '{"data":[],"included":[1',
  'plain text with "included":[1] in it',
  '{"included"',
])('nothing else is touched: %s', (text) => {
  const cut = text.startsWith('{"data":[],') ? '{"data":[],"included":[' : text;
  for (const size of [1, 7, 1_000]) expect(gather(text, [size])).toBe(cut);
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
