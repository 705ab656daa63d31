/** Where a text of JSON was left off. Signs of -1 and 1 are those of the program below. */
interface State {
  /** Lists and objects that are open. */
  depth: number;
  /** -1 within a string, else 0. */
  inString: number;
  /** 1 right behind a backslash that escapes what follows, else 0. */
  isEscaped: number;
}

/** @returns the place of the bracket that leaves none open, or -1 where none of these bytes does. */
type Scan = (bytes: Uint8Array, state: State) => number;

/** Follows one text of JSON that comes in pieces. */
export interface Nesting {
  /** A bracket was met, with none open. */
  enter(): void;
  /**
   * Looks on through bytes behind that bracket, from a place on.
   *
   * @returns the place of the bracket that ends it, or -1 where it stands further on
   */
  findEnd(bytes: Uint8Array, from: number): number;
}

export function createNesting(scan: Scan = fastest()): Nesting {
  const state: State = { depth: 0, inString: 0, isEscaped: 0 };
  return {
    enter() {
      // Behind an end the program may have looked into a string.
      Object.assign(state, { depth: 1, inString: 0, isEscaped: 0 });
    },
    findEnd(bytes, from) {
      for (let start = from; start < bytes.length; start += AT_ONCE) {
        const end = scan(bytes.subarray(start, start + AT_ONCE), state);
        if (end !== -1) return start + end;
      }
      return -1;
    },
  };
}

/** What fits beside the blanks into the program's memory. */
const AT_ONCE = 65_536;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** The meaning of it, a byte at a time. */
export const scanPlainly: Scan = (bytes, state) => {
  let { depth, inString, isEscaped } = state;
  let end = -1;
  for (let at = 0; at < bytes.length && end === -1; at += 1) {
    const byte = bytes[at] ?? 0;
    const escaped = isEscaped === 1;
    isEscaped = byte === BACKSLASH && !escaped ? 1 : 0;
    if (byte === QUOTE && !escaped) inString = ~inString;
    if (inString === -1) continue;
    // [ and { differ in one bit, and so do ] and }.
    if ((byte | 0x20) === 0x7b) depth += 1;
    else if ((byte | 0x20) === 0x7d) {
      depth -= 1;
      if (depth === 0) end = at;
    }
  }
  Object.assign(state, { depth, inString, isEscaped });
  return end;
};

let found: Scan | undefined;

/** Looked for once in a process: the program's memory reserves gigabytes of addresses. */
function fastest(): Scan {
  found ??= loadProgram() ?? scanPlainly;
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
      readonly depth: Global;
      readonly inString: Global;
      readonly isEscaped: Global;
    };
  };
};

/**
 * The same in a tenth of the time, 64 bytes at once (`nesting.wat`): related records are tens of MB
 * a page.
 *
 * @returns null where the processor, or how Node was started, does not allow it
 */
export function loadProgram(): Scan | null {
  try {
    const module = new WebAssembly.Module(Buffer.from(BINARY, 'base64'));
    const { memory, scan, depth, inString, isEscaped } = new WebAssembly.Instance(module).exports;
    const place = new Uint8Array(memory.buffer);
    return (bytes, state) => {
      place.set(bytes);
      place.fill(0x20, bytes.length, bytes.length + 64);
      depth.value = state.depth;
      inString.value = state.inString;
      isEscaped.value = state.isEscaped;
      const end = scan(bytes.length);
      state.depth = depth.value;
      state.inString = inString.value;
      state.isEscaped = isEscaped.value;
      return end;
    };
  } catch {
    return null;
  }
}

// biome-ignore format: one piece of base64
const BINARY =
  'AGFzbQEAAAABDQJgA397ewF+YAF/AX8DAwIAAQUDAQACBhADfwFBAAt/AUEAC38BQQALBzAFBm1lbW9yeQIABWRlcHRoAwAIaW5TdHJpbmcDAQlpc0VzY2FwZWQDAgRzY2FuAAEK+gMCUgAgAiAA/QAEACAB/VD9I/1krSACIAD9AAQQIAH9UP0j/WStQhCGhCACIAD9AAQgIAH9UP0j/WStQiCGIAIgAP0ABDAgAf1Q/SP9ZK1CMIaEhAukAwIBfwl+AkADQCABIABPDQEgACABa60hAkLAACACIAJCwABWG0IBfSECIwKtIQMgAf0MAAAAAAAAAAAAAAAAAAAAAEEi/Q8QACEHIAH9DAAAAAAAAAAAAAAAAAAAAABB3AD9DxAAIQQgBCADhEIAUgRAIAQgA0J/hYMhBUKq1arVqtWq1ap/IAVCAYZCqtWq1arVqtWqf4QgBX2FIQYgB0J/IAYgBCADhIWFgyEHQQEgBiAEgyACiKdxJAILIAcgB0IBhoUhByAHIAdCAoaFIQcgByAHQgSGhSEHIAcgB0IIhoUhByAHIAdCEIaFIQcgByAHQiCGhSEHIAcjAayFIQcgB0I/h6ckASAHQn+FIQcgByABQSD9D0H7AP0PEACDIQggByABQSD9D0H9AP0PEACDIQkjAK0gCXtYBEADQCAJQgBSBEAgCUIAIAl9g0IBfSEKIwAgCCAKg3unakEBayQAIwBFBEAgASAKe6dqDwsgCCAKQn+FgyEIIAkgCUIBfYMhCQwBCwsLIwAgCHsgCXt9p2okACABQcAAaiEBDAALC0F/Cw==';
