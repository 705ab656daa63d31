interface Entry<T> {
  readonly name: string;
  readonly found: T;
}

/** A record with more names than this is no usual one. */
const MOST = 1_000;

/**
 * Looks names up that come in nearly the same order each time, such as those of records in one
 * answer: comparing with the name that was in this place the last time is much faster than a map,
 * and millions a second are looked up.
 */
export class RecurringNames<T> {
  readonly #find: (name: string) => T;
  readonly #entries: Entry<T>[] = [];

  constructor(find: (name: string) => T) {
    this.#find = find;
  }

  at(place: number, name: string): T {
    const known = this.#entries[place];
    if (known?.name === name) return known.found;
    const entry = { name, found: this.#find(name) };
    if (place < MOST) this.#entries[place] = entry;
    return entry.found;
  }
}
