import { createNesting } from './nesting.ts';
import type { GrowingBuffer } from './spare-buffers.ts';

const [QUOTE, BACKSLASH, COLON, CLOSE] = [0x22, 0x5c, 0x3a, 0x7d];

/**
 * Gathers an answer without what one member of it holds, wherever that stands and however often:
 * of the list or object it is only the brackets stay. What is left out is neither parsed nor kept,
 * nor does it count against the longest answer.
 *
 * Members of the answer itself are meant, not of what it holds. Of a text that is no JSON object
 * everything stays.
 */
export function skipMember(
  name: string,
): (gathered: GrowingBuffer) => Pick<GrowingBuffer, 'append'> {
  return (gathered) => {
    const nesting = createNesting();
    let place: 'before' | 'members' | 'string' | 'within' | 'beyond' = 'before';
    /** The last string among the members, as it was written: before a colon, it is a key. */
    let written = '';
    let isEscaped = false;
    let isUnwanted = false;

    /** What stands between the values, some 100 bytes. @returns whether a list or object begins */
    function pass(byte: number): boolean {
      if (place === 'string') {
        if (byte === QUOTE && !isEscaped) place = 'members';
        // A value among the members may be long, and none of it is wanted.
        else if (written.length <= 6 * name.length) written += String.fromCharCode(byte);
        isEscaped = byte === BACKSLASH && !isEscaped;
      } else if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) return false;
      else if (place === 'before') place = byte === 0x7b ? 'members' : 'beyond';
      else if (byte === QUOTE) {
        place = 'string';
        written = '';
      } else if (byte === COLON) isUnwanted = isKey(written, name);
      else if (byte === CLOSE) place = 'beyond';
      else if ((byte | 0x20) === 0x7b) {
        place = 'within';
        nesting.enter();
        return true;
      }
      return false;
    }

    return {
      append(chunk) {
        let keptFrom = 0;
        for (let at = 0; at < chunk.length && place !== 'beyond'; ) {
          if (place === 'within') {
            const end = nesting.findEnd(chunk, at);
            at = end === -1 ? chunk.length : end;
            if (isUnwanted) keptFrom = at;
            if (end === -1) break;
            place = 'members';
          } else if (pass(chunk[at] ?? 0) && isUnwanted) {
            gathered.append(chunk.subarray(keptFrom, at + 1));
            keptFrom = at + 1;
          }
          at += 1;
        }
        if (keptFrom < chunk.length) gathered.append(chunk.subarray(keptFrom));
      },
    };
  };
}

/** A key may be written with escapes, each six characters long at most. */
function isKey(written: string, name: string): boolean {
  if (!written.includes('\\')) return written === name;
  try {
    return JSON.parse(`"${written}"`) === name;
  } catch {
    return false;
  }
}
