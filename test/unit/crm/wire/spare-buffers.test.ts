import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSpareBuffers } from '../../../../src/crm/wire/spare-buffers.ts';

test('a text comes out as it came in, in whatever script and however it was cut', () => {
  const buffers = createSpareBuffers(4_000_000);
  for (const text of [
    'plain ASCII',
    'Ünïcödé',
    'a€😀',
    '',
    'x'.repeat(2_000_000),
    'é'.repeat(1_000_000),
  ]) {
    const bytes = Buffer.from(text);
    const body = buffers.take();
    for (let start = 0; start < bytes.length; start += 65_537) {
      body.append(bytes.subarray(start, start + 65_537));
    }
    expect(body.release() === text).toBe(true);
  }
});

test('bytes in pieces are read as in one, characters across their edges and garbage too', () => {
  const buffers = createSpareBuffers(4_000_000);
  const scrap = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
    fc.uint8Array({ max: 255, maxLength: 8 }),
    fc.constant(Buffer.alloc(70_000, 0x80)),
    // Every character of Latin-1, and what begins like one.
    fc.constant(
      Buffer.from(Array.from({ length: 256 }, (_, at) => String.fromCharCode(at)).join('')),
    ),
    fc
      .constantFrom([0xc3], [0xc2, 0x20], [0xc1, 0x80], [0xc4, 0x80], [0xc3, 0xc3])
      .map(Buffer.from),
  );
  const around = fc.tuple(fc.integer({ min: 16_370, max: 16_390 }), scrap);
  fc.assert(
    fc.property(fc.array(around, { maxLength: 4 }), (parts) => {
      const bytes = Buffer.concat(
        parts.flatMap(([length, some]) => [Buffer.alloc(length, 'x'), some]),
      );
      const body = buffers.take();
      body.append(bytes);
      expect(body.release() === bytes.toString()).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test("what is spare is the collector's to take", async () => {
  setFlagsFromString('--expose-gc');
  const collect = () => runInNewContext('gc()');
  const held = () => process.memoryUsage().arrayBuffers;
  const buffers = createSpareBuffers();
  const taken = Array.from({ length: 6 }, () => buffers.take());
  for (const body of taken) body.append(Buffer.from('an answer'));
  collect();
  const inUse = held();
  for (const body of taken.splice(0)) expect(body.release()).toBe('an answer');
  await expect
    .poll(() => {
      collect();
      return inUse - held();
    })
    .toBeGreaterThan(2_500_000);
  const body = buffers.take();
  body.append(Buffer.from('another'));
  expect(body.release()).toBe('another');
});
