import type { GrowingBuffer } from './spare-buffers.ts';

const KEY = Buffer.from('"included"');
const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Gathers an answer without what its `included` holds: related records, whole, which nobody here
 * needs and which are tens of MB. They are neither parsed nor kept, nor do they count against the
 * longest answer. Costs one search for the key where there is nothing to skip.
 */
export function skipIncluded(gathered: GrowingBuffer): Pick<GrowingBuffer, 'append'> {
  const depthAt = createDepths();
  let searchedTo = 0;
  let skipping: ((chunk: Uint8Array) => number) | null = null;

  function skip(chunk: Uint8Array): void {
    const end = skipping?.(chunk) ?? 0;
    if (end === -1) return;
    skipping = null;
    look(chunk.subarray(end));
  }

  function look(chunk: Uint8Array): void {
    gathered.append(chunk);
    const bytes = gathered.bytes();
    for (;;) {
      const at = bytes.indexOf(KEY, searchedTo);
      if (at === -1) {
        // The key may come in two pieces.
        searchedTo = Math.max(searchedTo, bytes.length - KEY.length + 1);
        return;
      }
      const first = firstItem(bytes, at + KEY.length);
      searchedTo = at;
      if (first === 'unknown') return;
      searchedTo = at + KEY.length;
      if (first === 'none' || depthAt(bytes, at) !== 1) continue;
      const rest = Buffer.from(bytes.subarray(first));
      gathered.cut(first);
      searchedTo = first;
      skipping = createSkip();
      skip(rest);
      return;
    }
  }

  return { append: (chunk) => (skipping === null ? look(chunk) : skip(chunk)) };
}

/** Where the first item of the list behind a key begins; `none` where it is no list, or empty. */
function firstItem(bytes: Buffer, from: number): number | 'none' | 'unknown' {
  let at = from;
  for (const expected of [COLON, OPEN_LIST]) {
    while (isBlank(bytes[at])) at += 1;
    if (at >= bytes.length) return 'unknown';
    if (bytes[at] !== expected) return 'none';
    at += 1;
  }
  while (isBlank(bytes[at])) at += 1;
  if (at >= bytes.length) return 'unknown';
  return bytes[at] === CLOSE_LIST ? 'none' : at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Tells how many lists and objects are open at a place; -1 where it is inside a string. */
function createDepths(): (bytes: Buffer, place: number) => number {
  // Places are asked for in their order, so that no byte is looked at twice.
  let depth = 0;
  let at = 0;
  return (bytes, place) => {
    while (at < place) {
      const byte = bytes[at];
      if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth += 1;
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
      else if (byte === QUOTE) {
        const end = endOfString(bytes, at + 1);
        if (end >= place) return -1;
        at = end;
      }
      at += 1;
    }
    return depth;
  };
}

/** The place of the quote that ends a string. */
function endOfString(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(QUOTE, from); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (at - backslashes > from && bytes[at - backslashes - 1] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return bytes.length;
}

/** Takes chunks from within a list. @returns where the list's end stands, or -1 where not yet. */
function createSkip(): (chunk: Uint8Array) => number {
  let depth = 1;
  let inString = false;
  let escaped = false;
  return (chunk) => {
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (escaped) escaped = false;
      else if (inString) {
        if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth += 1;
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
        depth -= 1;
        if (depth === 0) return at;
      }
    }
    return -1;
  };
}
