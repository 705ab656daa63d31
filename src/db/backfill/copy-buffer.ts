import type { ColumnValue } from '../mirror/encode.ts';
import type { SqlType } from '../mirror/table.ts';
import { type Digits, daysSince2000, microsSince2000, numericDigits } from './binary-forms.ts';

/** What a column takes; `now` stands for the time at which the rows are written. */
export type CopyType = SqlType | 'now';

/** More than a chunk: what is never written to takes no memory, and growing leaves garbage. */
const FIRST_BYTES = 3 * 1024 * 1024;
/** What one UTF-16 unit takes in UTF-8, at most. */
const BYTES_PER_UNIT = 3;
/** Up to here a call out of JavaScript costs more than going through the letters. */
const SHORT = 40;

const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const NULL = -1;
const TEXT_OID = 25;
const JSONB_VERSION = 1;
const POSITIVE = 0;
const NEGATIVE = 0x4000;
const TWO_TO_32 = 2 ** 32;
/** Of a row, after how many columns it has and how long the first one is. */
const FIRST_COLUMN = 6;
/** A double holds four bytes of a key and the place of a row, exactly. */
const MOST_ROWS = 2 ** 21;

/** Rows that are complete, as COPY takes them; in memory of the buffer that they were gathered in. */
export interface CopyRows {
  readonly bytes: Buffer;
  /** Where the time of writing goes. */
  readonly times: readonly number[];
}

/**
 * Rows on their way to COPY in its binary format, which spares Postgres reading instants, numbers
 * and lists from text: a fifth of what a row costs it. They are in memory that is used again, some of it
 * for rows that are gathered and some for those being copied: a new buffer for every chunk would be
 * garbage the collector is slow to see.
 *
 * Source: "Binary Format" of the COPY page of Postgres' manual, and the `recv` function of each
 * type. Integers are big-endian; every field is preceded by its length in bytes, -1 for null.
 */
export class CopyBuffer {
  readonly #types: readonly CopyType[];
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** What {@link takeSorted} gave last. */
  #taken: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Where each row begins, and where its time of writing goes. */
  #starts: number[] = [];
  #times: number[] = [];

  /** @param types of which one is `now`. */
  constructor(types: readonly CopyType[]) {
    this.#types = types;
    this.clear();
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** @param values one for each type, as `encodeRecord` gives them. */
  append(values: readonly ColumnValue[]): void {
    const types = this.#types;
    this.#reserve(2);
    this.#starts.push(this.#length);
    this.#putInt16(types.length);
    for (let position = 0; position < types.length; position += 1) {
      const type = types[position];
      const value = values[position] ?? null;
      if (type === 'now') this.#appendTime();
      else if (value === null) this.#appendNull();
      else if (typeof value !== 'string') this.#appendTexts(value);
      else this.#appendValue(type, value);
    }
  }

  /** Forgets what was gathered. */
  clear(): void {
    this.#starts = [];
    this.#times = [];
    this.#length = HEADER.copy(this.#bytes);
  }

  /** The rows gathered so far, in their order; good until {@link clear}, and nothing may follow. */
  end(): CopyRows {
    this.#reserve(2);
    this.#putInt16(NULL);
    return { bytes: this.#bytes.subarray(0, this.#length), times: this.#times };
  }

  /**
   * Begins anew, and gives the rows gathered so far in the order of their first column: good until the next
   * time, by when COPY has ended. Where that column has an index, keys in no order would each meet a page
   * of it that is in none of the processor's caches. They are compared by their first bytes, which is order enough.
   */
  takeSorted(): CopyRows {
    const { bytes, times } = this.end();
    if (this.#taken.length < bytes.length) this.#taken = Buffer.allocUnsafeSlow(this.#bytes.length);
    const sorted = this.#taken;
    const sortedTimes: number[] = [];
    let at = HEADER.copy(sorted);
    for (const row of this.#order()) {
      const start = this.#starts[row] ?? 0;
      const end = this.#starts[row + 1] ?? bytes.length - 2;
      sortedTimes.push(at + (times[row] ?? 0) - start);
      at += bytes.copy(sorted, at, start, end);
    }
    at += bytes.copy(sorted, at, bytes.length - 2);
    this.clear();
    return { bytes: sorted.subarray(0, at), times: sortedTimes };
  }

  /** Rows by the first bytes of their first column, and by their place. */
  #order(): Float64Array {
    const starts = this.#starts;
    const keys = new Float64Array(starts.length);
    for (let row = 0; row < starts.length; row += 1) {
      const key = this.#bytes.readUInt32BE((starts[row] ?? 0) + FIRST_COLUMN);
      keys[row] = key * MOST_ROWS + row;
    }
    return keys.toSorted().map((key) => key % MOST_ROWS);
  }

  #appendNull(): void {
    this.#reserve(4);
    this.#putInt32(NULL);
  }

  #appendTime(): void {
    this.#reserve(12);
    this.#putInt32(8);
    this.#times.push(this.#length);
    this.#length += 8;
  }

  #appendValue(type: SqlType | undefined, value: string): void {
    switch (type) {
      case 'timestamptz':
        this.#reserve(12);
        this.#putInt32(8);
        this.#length = putInstant(this.#bytes, this.#length, value);
        return;
      case 'date':
        this.#reserve(8);
        this.#putInt32(4);
        return this.#putInt32(daysSince2000(value));
      case 'boolean':
        this.#reserve(5);
        this.#putInt32(1);
        this.#bytes[this.#length] = value === 'true' ? 1 : 0;
        this.#length += 1;
        return;
      case 'smallint':
        this.#reserve(6);
        this.#putInt32(2);
        return this.#putInt16(Number(value));
      case 'integer':
        this.#reserve(8);
        this.#putInt32(4);
        return this.#putInt32(Number(value));
      case 'double precision':
        this.#reserve(12);
        this.#putInt32(8);
        this.#length = this.#bytes.writeDoubleBE(Number(value), this.#length);
        return;
      case 'numeric':
      case 'numeric(20,4)':
        return this.#appendNumeric(numericDigits(value));
      case 'jsonb':
        return this.#appendJson(value);
      default:
        return this.#appendText(value);
    }
  }

  #appendText(value: string): void {
    this.#reserve(4 + value.length * BYTES_PER_UNIT);
    const start = this.#length;
    this.#length += 4;
    this.#putText(value);
    this.#putLength(start);
  }

  #appendJson(value: string): void {
    this.#reserve(5 + value.length * BYTES_PER_UNIT);
    const start = this.#length;
    this.#length += 4;
    this.#bytes[this.#length] = JSONB_VERSION;
    this.#length += 1;
    this.#putText(value);
    this.#putLength(start);
  }

  /** Dimensions, whether any item is null, the items' type; of the dimension size and first index. */
  #appendTexts(items: readonly string[]): void {
    this.#reserve(24);
    const start = this.#length;
    this.#length += 4;
    this.#putInt32(items.length === 0 ? 0 : 1);
    this.#putInt32(0);
    this.#putInt32(TEXT_OID);
    if (items.length > 0) {
      this.#putInt32(items.length);
      this.#putInt32(1);
      for (const item of items) this.#appendText(item);
    }
    this.#putLength(start);
  }

  #appendNumeric({ negative, groups, weight, scale }: Digits): void {
    this.#reserve(12 + 2 * groups.length);
    this.#putInt32(8 + 2 * groups.length);
    this.#putInt16(groups.length);
    this.#putInt16(weight);
    this.#putInt16(negative ? NEGATIVE : POSITIVE);
    this.#putInt16(scale);
    for (const group of groups) this.#putInt16(group);
  }

  #putText(value: string): void {
    const bytes = this.#bytes;
    const start = this.#length;
    if (value.length <= SHORT) {
      let index = 0;
      for (; index < value.length; index += 1) {
        const unit = value.charCodeAt(index);
        if (unit > 127) break;
        bytes[start + index] = unit;
      }
      if (index === value.length) {
        this.#length = start + index;
        return;
      }
    }
    this.#length = start + bytes.write(value, start);
  }

  /** Of what was written since `start`, before which the room for it was left. */
  #putLength(start: number): void {
    const end = this.#length;
    this.#length = start;
    this.#putInt32(end - start - 4);
    this.#length = end;
  }

  #putInt32(value: number): void {
    this.#length = putInt32(this.#bytes, this.#length, value);
  }

  #putInt16(value: number): void {
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = value >>> 8;
    bytes[at + 1] = value;
    this.#length = at + 2;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** @param now for `now`, as Postgres writes an instant. */
export function stamp({ bytes, times }: CopyRows, now: string): Buffer {
  for (const time of times) putInstant(bytes, time, now);
  return bytes;
}

/** Microseconds since 2000 began. @returns where it ends. */
function putInstant(bytes: Buffer, at: number, text: string): number {
  const micros = microsSince2000(text);
  if (typeof micros === 'bigint') return bytes.writeBigInt64BE(micros, at);
  // As two halves: few are beyond what a double holds exactly.
  const high = Math.floor(micros / TWO_TO_32);
  putInt32(bytes, at, high);
  return putInt32(bytes, at + 4, micros - high * TWO_TO_32);
}

function putInt32(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}
