/** Text kept as bytes beside the JavaScript heap. */
export interface PackedText {
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
}

const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * Packs many texts into few buffers: a million records' worth of strings would double the heap
 * and keep the garbage collector busy.
 */
export function createTextPacker(): (text: string) => PackedText {
  let chunk = Buffer.alloc(0);
  let used = 0;
  return (text) => {
    const most = text.length * 3;
    if (used + most > chunk.length) {
      chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most));
      used = 0;
    }
    const start = used;
    used += chunk.write(text, start);
    return { chunk, start, end: used };
  };
}

export function unpackText({ chunk, start, end }: PackedText): string {
  return chunk.toString('utf8', start, end);
}
