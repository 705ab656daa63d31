import { AT_ONCE, jsonProgram } from './json-bytes.ts';

/** Bytes of one answer as they come in. */
export interface GrowingBuffer {
  /** @throws AnswerTooLarge */
  append(chunk: Uint8Array): void;
  /** The bytes gathered so far, in place: good until the buffer is given back. */
  view(): Buffer;
  /** The text gathered, once; the buffer is another answer's from now on. */
  release(): string;
  /** Gives the buffer back instead, its text unread. */
  discard(): void;
}

export interface SpareBuffers {
  take(): GrowingBuffer;
}

/** An answer that no page of the API is as long as: whatever sends it may never end. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** 500 records of more than 100 kB each. */
const MOST_ANSWER_BYTES = 64 * 1024 * 1024;
const FIRST_BYTES = 512 * 1024;
/** A larger one is not kept: answers are rarely so long. */
const LARGEST_BYTES = 4 * 1024 * 1024;

/**
 * Buffers that are used again, until the collector takes those that nobody uses. A new one for each page
 * would be garbage it is slow to see: 64 MB of them may pile up before it looks (invariant 12).
 */
export function createSpareBuffers(mostBytes = MOST_ANSWER_BYTES): SpareBuffers {
  const spare: WeakRef<Buffer>[] = [];
  return {
    take() {
      let bytes = spare.pop()?.deref() ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
      let length = 0;
      const giveBack = () => {
        if (bytes.length <= LARGEST_BYTES) spare.push(new WeakRef(bytes));
      };
      return {
        append(chunk) {
          const needed = length + chunk.length;
          if (needed > mostBytes) throw new AnswerTooLarge();
          if (needed > bytes.length) {
            const larger = Buffer.allocUnsafeSlow(Math.min(2 * needed, mostBytes));
            bytes.copy(larger, 0, 0, length);
            bytes = larger;
          }
          bytes.set(chunk, length);
          length += chunk.length;
        },
        view: () => bytes.subarray(0, length),
        release() {
          const text = decode(bytes, length);
          giveBack();
          return text;
        },
        discard: giveBack,
      };
    },
  };
}

/** So short that a character beyond Latin-1 makes little of a page slower. */
const PIECE_BYTES = 16_384;

/**
 * The text of UTF-8 bytes, in whose place Latin-1 is written. Node's decoder goes through every byte after
 * the first that is not ASCII, and one such stands in nearly every page; and where many strings become one,
 * everything is copied once more.
 */
function decode(bytes: Buffer, length: number): string {
  const program = jsonProgram();
  let text = '';
  let narrowed = 0;
  for (let start = 0, end = 0; start < length; start = end) {
    end = Math.min(start + PIECE_BYTES, length);
    // Not within a character.
    while (end < length && end < start + AT_ONCE && isContinuation(bytes[end])) end += 1;
    const written = program?.narrow(bytes.subarray(start, end), bytes.subarray(narrowed)) ?? -1;
    if (written === -1) {
      text += bytes.toString('latin1', 0, narrowed) + bytes.toString('utf8', start, end);
      narrowed = 0;
    } else narrowed += written;
  }
  return text + bytes.toString('latin1', 0, narrowed);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && byte >>> 6 === 2;
}
