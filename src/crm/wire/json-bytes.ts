/** Where a text of JSON was left off. Signs of -1 and 1 are those of the program. */
export interface State {
  /** Lists and objects that are open. */
  depth: number;
  /** -1 within a string, else 0. */
  inString: number;
  /** 1 right behind a backslash that escapes what follows, else 0. */
  isEscaped: number;
}

/** @returns the place of the bracket that leaves none open, or -1 where none of these bytes does. */
export type Scan = (bytes: Uint8Array, state: State) => number;

/** A program that goes through the bytes of JSON, 64 or 16 at once (`json-bytes.wat`). */
export interface JsonProgram {
  /** What `scanPlainly` does, in a tenth of the time: related records are tens of MB a page. */
  readonly scan: Scan;
  /** See {@link mayRound}. */
  readonly mayRound: (bytes: Uint8Array) => boolean;
  /**
   * Writes UTF-8, of {@link AT_ONCE} at most, as Latin-1.
   *
   * @returns how many bytes it takes; -1, and nothing was written, where it holds a character above U+00FF
   *   or is no UTF-8
   */
  readonly narrow: (from: Uint8Array, to: Uint8Array) => number;
}

/** What fits beside the blanks into the program's memory. */
export const AT_ONCE = 65_536;

/**
 * Whether a text of JSON may hold a number that a double would round: one of 15 digits or more, or with an
 * exponent. It errs on that side alone, and always where there is no program.
 */
export function mayRound(bytes: Uint8Array): boolean {
  return jsonProgram()?.mayRound(bytes) ?? true;
}

let found: JsonProgram | null | undefined;

/**
 * Looked for once in a process: the program's memory reserves gigabytes of addresses.
 *
 * @returns null where the processor, or how Node was started, does not allow it
 */
export function jsonProgram(): JsonProgram | null {
  found ??= loadProgram();
  return found;
}

interface Global {
  value: number;
}

/** The part of it that is used here: the language's own types have none of it. */
declare const WebAssembly: {
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly scan: (length: number) => number;
      readonly begin: () => void;
      readonly mayRound: (length: number) => number;
      readonly narrow: (length: number) => number;
      readonly depth: Global;
      readonly inString: Global;
      readonly isEscaped: Global;
    };
  };
};

function loadProgram(): JsonProgram | null {
  try {
    const module = new WebAssembly.Module(Buffer.from(BINARY, 'base64'));
    const { memory, ...program } = new WebAssembly.Instance(module).exports;
    const { depth, inString, isEscaped } = program;
    const place = Buffer.from(memory.buffer);
    const put = (bytes: Uint8Array) => {
      place.set(bytes);
      place.fill(0x20, bytes.length, bytes.length + 64);
    };
    return {
      scan(bytes, state) {
        put(bytes);
        depth.value = state.depth;
        inString.value = state.inString;
        isEscaped.value = state.isEscaped;
        const end = program.scan(bytes.length);
        state.depth = depth.value;
        state.inString = inString.value;
        state.isEscaped = isEscaped.value;
        return end;
      },
      mayRound(bytes) {
        program.begin();
        for (let start = 0; start < bytes.length; start += AT_ONCE) {
          const piece = bytes.subarray(start, start + AT_ONCE);
          put(piece);
          if (program.mayRound(piece.length) === 1) return true;
        }
        return false;
      },
      narrow(from, to) {
        place.set(from);
        const length = program.narrow(from.length);
        if (length > 0) to.set(place.subarray(0, length));
        return length;
      },
    };
  } catch {
    return null;
  }
}

// biome-ignore format: one piece of base64
const BINARY =
  'AGFzbQEAAAABIgZgA397ewF+YAJ/fwF+YAF/AX9gAABgAX8BfmADfn5+AX4DCQgAAQIDAgQFAgUDAQACBiQHfwFBAAt/AUEAC38BQQALfgFCAAt+AUIAC34BQgALfgFCAAsHTAgGbWVtb3J5AgAFZGVwdGgDAAhpblN0cmluZwMBCWlzRXNjYXBlZAMCBHNjYW4AAgViZWdpbgADCG1heVJvdW5kAAQGbmFycm93AAcKmggIUgAgAiAA/QAEACAB/VD9I/1krSACIAD9AAQQIAH9UP0j/WStQhCGhCACIAD9AAQgIAH9UP0j/WStQiCGIAIgAP0ABDAgAf1Q/SP9ZK1CMIaEhAuBAgEGfiABIABrrSECQsAAIAIgAkLAAFYbQgF9IQIjAq0hAyAA/QwAAAAAAAAAAAAAAAAAAAAAQSL9DxAAIQcgAP0MAAAAAAAAAAAAAAAAAAAAAEHcAP0PEAAhBCAEIAOEQgBSBEAgBCADQn+FgyEFQqrVqtWq1arVqn8gBUIBhkKq1arVqtWq1ap/hCAFfYUhBiAHQn8gBiAEIAOEhYWDIQdBASAGIASDIAKIp3EkAgsgByAHQgGGhSEHIAcgB0IChoUhByAHIAdCBIaFIQcgByAHQgiGhSEHIAcgB0IQhoUhByAHIAdCIIaFIQcgByMBrIUhByAHQj+HpyQBIAdCf4ULrQECAX8EfgJAA0AgASAATw0BIAEgABABIQIgAiABQSD9D0H7AP0PEACDIQMgAiABQSD9D0H9AP0PEACDIQQjAK0gBHtYBEADQCAEQgBSBEAgBEIAIAR9g0IBfSEFIwAgAyAFg3unakEBayQAIwBFBEAgASAFe6dqDwsgAyAFQn+FgyEDIAQgBEIBfYMhBAwBCwsLIwAgA3sgBHt9p2okACABQcAAaiEBDAALC0F/CxoAQQAkAUEAJAJCACQDQgAkBEIAJAVCACQGC6gBAgF/BX4CQANAIAEgAE8NASABIAAQASECIAIgARAFgyEDQgAgAyMDhFIEQEIAIAIgAUEg/Q9B5QD9DxAAIAMjA0IBEAaDg1IEQEEBDwsgAyADIwNCARAGgyEEIAQgBCMEQgIQBoMhBSAFIAUjBUIEEAaDIQZCACAGIAYjBkIHEAaDUgRAQQEPCyADJAMgBCQEIAUkBSAGJAYLIAFBwABqIQEMAAsLQQALYgAgAP0ABABBLv0P/XFBC/0P/Sr9ZK0gAP0ABBBBLv0P/XFBC/0P/Sr9ZK1CEIaEIAD9AAQgQS79D/1xQQv9D/0q/WStQiCGIAD9AAQwQS79D/1xQQv9D/0q/WStQjCGhIQLEQAgACAChiABQsAAIAJ9iIQL2AEBBX8CQANAIAEgAE8NASABQRBqIQMgBUUgAyAATXEgAf0ABAD9ZEVxBEAgAiAB/QAEAP0LBAAgAkEQaiECIAMhAQwBCyADIABLBEAgACEDCwNAIAEtAAAhBCAFBEAgBEHAAXFBgAFHBEBBfw8LIARBP3EgBUEDcUEGdHIhBEEAIQUgAiAEOgAAIAJBAWohAgUgBEGAAUkEQCACIAQ6AAAgAkEBaiECBSAEQf4BcUHCAUcEQEF/DwsgBCEFCwsgAUEBaiEBIAEgA0kNAAsMAAsLQX8gAiAFGws=';
