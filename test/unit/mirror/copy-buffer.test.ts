import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CopyBuffer } from '../../../src/db/backfill/copy-buffer.ts';

test('lines of any length and script come out as they went in, each with its end', () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    // Longer than the buffer is at first.
    fc.constantFrom('x', 'é', '€', '😀').map((letter) => letter.repeat(400_000)),
  );
  fc.assert(
    fc.property(fc.array(fc.array(line, { maxLength: 6 }), { maxLength: 3 }), (chunks) => {
      const buffer = new CopyBuffer();
      for (const lines of chunks) {
        buffer.clear();
        for (const one of lines) buffer.append(one);
        expect(buffer.bytes.toString() === lines.map((one) => `${one}\n`).join('')).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});
