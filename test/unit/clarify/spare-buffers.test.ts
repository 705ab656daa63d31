import { expect, test } from 'vitest';
import { createSpareBuffers } from '../../../src/clarify/spare-buffers.ts';

test('a text comes out as it came in, in whatever script and however it was cut', () => {
  const buffers = createSpareBuffers(4_000_000);
  for (const text of ['plain ASCII', 'Ünïcödé', 'a€😀', '', 'x'.repeat(2_000_000)]) {
    const bytes = Buffer.from(text);
    const body = buffers.take();
    for (let start = 0; start < bytes.length; start += 65_537) {
      body.append(bytes.subarray(start, start + 65_537));
    }
    expect(body.release() === text).toBe(true);
  }
});
