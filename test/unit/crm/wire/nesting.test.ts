import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonProgram } from '../../../../src/crm/wire/json-bytes.ts';
import { createNesting, scanPlainly } from '../../../../src/crm/wire/nesting.ts';

/** Mostly what matters, so that rows of backslashes run over the ends of blocks and of pieces. */
const byte = fc.constantFrom(...Buffer.from('"\\[]{}a é'), 0xdb, 0xfd);
const row = fc.tuple(byte, fc.nat(130)).map(([one, length]) => Array.from({ length }, () => one));
const bytes = fc
  .array(fc.oneof(row, fc.array(byte, { maxLength: 200 })))
  .map((parts) => Buffer.from(parts.flat()));

test('the program finds what the plain loop finds, in whatever pieces the bytes come', () => {
  const program = jsonProgram();
  if (program === null) throw new Error('this processor has no such instructions');
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 300 }), (all, size) => {
      const plain = { depth: 1, inString: 0, isEscaped: 0 };
      const fast = { ...plain };
      for (let at = 0; at < all.length; at += size) {
        const piece = all.subarray(at, at + size);
        const end = scanPlainly(piece, plain);
        expect(program.scan(piece, fast)).toBe(end);
        if (end !== -1) break;
        expect(fast).toEqual(plain);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a piece longer than its memory is looked at in parts', () => {
  const text = `${'["\\"]",{}],'.repeat(30_000)}]tail`;
  const nesting = createNesting();
  nesting.enter();
  expect(nesting.findEnd(Buffer.from(text), 0)).toBe(text.length - 5);
});
