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
  /** The first member of the answer, a list of objects. */
  readonly member: string;
  /** What reading an item hangs on beside its bytes. */
  readonly basis: string;
}

/**
 * Takes the items out of an answer that begins with a list of them: `{"data": [{…}, …], …}`. Each is
 * told from the next by its brackets alone.
 *
 * @returns the items, and the text of the answer with an empty list in their place; null where it
 * begins with anything else, for it to be read as a whole.
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

const [COMMA, OPEN, CLOSE_LIST] = [0x2c, 0x7b, 0x5d];
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
  const head = new RegExp(`^\\s*\\{\\s*${JSON.stringify(member)}\\s*:\\s*\\[`);
  const begin = head.exec(bytes.toString('latin1', 0, WINDOW))?.[0].length;
  if (begin === undefined) return null;
  const nesting = createNesting();
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

function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isBlank(bytes[at])) at += 1;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
