import type { RecordParts } from './stored-record.ts';

/**
 * Joins a list between commas. Most of a page of 500 records is packed text: it is copied as it is,
 * which takes a fraction of what reading it into strings and writing them out again would.
 */
export function joinBytes(
  before: string,
  items: readonly (string | RecordParts)[],
  after: string,
): Buffer {
  const bytes = Buffer.allocUnsafe(
    items.reduce(
      (sum, item) => sum + sizeOf(item) + 1,
      Buffer.byteLength(before) + Buffer.byteLength(after),
    ),
  );
  let at = bytes.write(before);
  for (const [index, item] of items.entries()) {
    if (index > 0) at += bytes.write(',', at);
    if (typeof item === 'string') {
      at += bytes.write(item, at);
      continue;
    }
    const { head, fields, tail } = item;
    at += bytes.write(head, at);
    if (typeof fields === 'string') at += bytes.write(fields.slice(1), at);
    else at += fields.chunk.copy(bytes, at, fields.start + 1, fields.end);
    at += bytes.write(tail, at);
  }
  at += bytes.write(after, at);
  return bytes.subarray(0, at);
}

function sizeOf(item: string | RecordParts): number {
  if (typeof item === 'string') return Buffer.byteLength(item);
  const { head, fields, tail } = item;
  const packed = typeof fields === 'string' ? Buffer.byteLength(fields) : fields.end - fields.start;
  return Buffer.byteLength(head) + packed + Buffer.byteLength(tail);
}
