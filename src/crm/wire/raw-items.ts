import { hash } from 'node:crypto';
import { parseJson } from '../../domain/json.ts';
import { createNesting } from './nesting.ts';
import type { GrowingBuffer } from './spare-buffers.ts';

/** Items of a list as they came, none of them parsed. */
export interface RawItems {
  /** Of each, in the order of the list: of its bytes, and of all else that reading it hangs on. */
  readonly digests: readonly string[];
  /** @throws SyntaxError */
  parse(index: number): unknown;
  /** Once nothing more is to be parsed: the bytes are another answer's from then on. */
  release(): void;
}

export interface RawItemsWanted {
  /** The member of the answer that is a list of objects. */
  readonly member: string;
  /** What reading an item hangs on beside its bytes. */
  readonly basis: string;
}

/**
 * Takes the items out of an answer that has a list of them: `{"data": [{…}, …], …}`. Each is told from
 * the next by its brackets alone.
 *
 * @returns the items, and the text of the answer with an empty list in their place; null where it
 * is anything else, for it to be read as a whole.
 */
export function takeRawItems(
  body: Pick<GrowingBuffer, 'view' | 'discard'>,
  { member, basis }: RawItemsWanted,
): { readonly items: RawItems; readonly rest: string } | null {
  const bytes = body.view();
  const list = findItems(bytes, member);
  if (list === null) return null;
  const { places, begin, end } = list;
  const mark = digestOf(basis).slice(0, BASIS_LETTERS);
  return {
    rest: bytes.toString('utf8', 0, begin) + bytes.toString('utf8', end),
    items: {
      digests: places.map(([from, to]) => mark + digestOf(bytes.subarray(from, to))),
      parse(index) {
        const [from, to] = places[index] ?? [0, 0];
        return parseJson(bytes.toString('utf8', from, to));
      },
      release: body.discard,
    },
  };
}

const BASIS_LETTERS = 8;
/** Of 6 bits each: more than enough for nobody to find two texts with one digest. */
const LETTERS = 24;

function digestOf(data: string | Uint8Array): string {
  return hash('sha256', data, 'base64url').slice(0, LETTERS);
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Longer than nearly every item, and short to look at in vain. */
const WINDOW = 4096;

interface FoundItems {
  readonly places: readonly (readonly [from: number, to: number])[];
  /** Right behind the bracket that opens the list. */
  readonly begin: number;
  /** Of the bracket that closes it. */
  readonly end: number;
}

function findItems(bytes: Buffer, member: string): FoundItems | null {
  const nesting = createNesting();
  const begin = findList(bytes, member, findClose);
  if (begin === null) return null;
  const places: (readonly [number, number])[] = [];
  let at = skipBlanks(bytes, begin);
  if (bytes[at] === CLOSE_LIST) return { places, begin, end: at };
  for (;;) {
    if (bytes[at] !== OPEN) return null;
    const to = findClose(bytes, at + 1);
    if (to === -1) return null;
    places.push([at, to + 1]);
    at = skipBlanks(bytes, to + 1);
    if (bytes[at] === CLOSE_LIST) return { places, begin, end: at };
    if (bytes[at] !== COMMA) return null;
    at = skipBlanks(bytes, at + 1);
  }

  function findClose(all: Buffer, behind: number): number {
    nesting.enter();
    for (let from = behind; from < all.length; from += WINDOW) {
      const end = nesting.findEnd(all.subarray(from, from + WINDOW), 0);
      if (end !== -1) return from + end;
    }
    return -1;
  }
}

/** @returns the place behind the bracket that opens the first list of that name; null where there is none. */
function findList(
  bytes: Buffer,
  member: string,
  findClose: (all: Buffer, behind: number) => number,
): number | null {
  const wanted = JSON.stringify(member);
  let at = skipBlanks(bytes, 0);
  // What opens the answer, or stands between two of its members.
  for (let mark = OPEN; bytes[at] === mark; mark = COMMA) {
    const from = skipBlanks(bytes, at + 1);
    const to = findStringEnd(bytes, from);
    if (to === -1) return null;
    at = skipBlanks(bytes, to);
    if (bytes[at] !== COLON) return null;
    at = skipBlanks(bytes, at + 1);
    if (bytes.toString('utf8', from, to) === wanted) return bytes[at] === OPEN_LIST ? at + 1 : null;
    at = skipBlanks(bytes, skipValue(bytes, at, findClose));
  }
  return null;
}

function skipValue(
  bytes: Buffer,
  from: number,
  findClose: (all: Buffer, behind: number) => number,
): number {
  const first = bytes[from];
  if (first === OPEN || first === OPEN_LIST) return findClose(bytes, from + 1) + 1;
  if (first === QUOTE) return findStringEnd(bytes, from);
  let at = from;
  while (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== CLOSE) at += 1;
  return at;
}

/** @returns the place behind the quote that ends a string; -1 where none begins, or none ends. */
function findStringEnd(bytes: Buffer, from: number): number {
  if (bytes[from] !== QUOTE) return -1;
  for (let at = from + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at + 1;
  }
  return -1;
}

function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isBlank(bytes[at])) at += 1;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
