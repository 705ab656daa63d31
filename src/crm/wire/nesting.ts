import { AT_ONCE, jsonProgram, type Scan, type State } from './json-bytes.ts';

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

export function createNesting(scan: Scan = jsonProgram()?.scan ?? scanPlainly): Nesting {
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
