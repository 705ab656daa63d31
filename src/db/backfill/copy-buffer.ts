const FIRST_BYTES = 1024 * 1024;
/** What one UTF-16 unit takes in UTF-8, at most. */
const BYTES_PER_UNIT = 3;
const LINE_END = 10;

/**
 * Lines on their way to COPY, as bytes, one after the other in memory that is used again: a new
 * buffer for every chunk would be garbage the collector is slow to see, and writing line by line
 * is several times as fast as joining them first.
 */
export class CopyBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  append(line: string): void {
    const most = line.length * BYTES_PER_UNIT + 1;
    if (this.#length + most > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (this.#length + most));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#length += this.#bytes.write(line, this.#length, 'utf8');
    this.#bytes[this.#length] = LINE_END;
    this.#length += 1;
  }

  /** What was appended since the last {@link clear}; good until the next one. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Only once nobody reads {@link bytes} any more: once COPY has ended. */
  clear(): void {
    this.#length = 0;
  }
}
