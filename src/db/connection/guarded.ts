import { renderSql } from '../control/schemas.ts';
import type { Transaction } from './database.ts';
import { isRowTrouble, type RowTrouble, troubleOf } from './row-trouble.ts';

/** What could not be written, and why. */
export interface Refused<Item> {
  readonly item: Item;
  readonly trouble: RowTrouble;
}

/** So many refused one after the other, and none written: it may be all of them. */
const SAMPLE = 16;
/** Of one statement: parts are small, and somebody waits for the rest. */
const STATEMENT_MS = 10_000;
const LOCK_MS = 1_000;
/** A row may have to wait for another of the same call: a parent, or who gives a value up. */
const DEPENDS_ON_OTHERS = /^23(?:503|505|P01|001)$/;

/**
 * Writes items of a mirror table by one set-based statement. In a first attempt that is all, and
 * an error is thrown; the transaction is then tried anew, and this finds out which items cannot be
 * written (invariant 10): each part in a savepoint, one that fails halved, so that one culprit
 * among n costs about 2·log₂ n statements. Where a sample says that none can be written, or the
 * time is over, what was not tried yet is refused with the rest.
 *
 * @param table the one written, quoted, with its schema.
 * @param write repeatable; whatever it counts, it counts once its statement has come back.
 * @returns what was refused.
 * @throws SyncError `database-lock-timeout` where somebody holds the whole table, and every error
 *   that is no row's.
 */
export async function guarded<Item>(
  tx: Transaction,
  table: string,
  items: readonly Item[],
  write: (part: readonly Item[]) => Promise<void>,
): Promise<readonly Refused<Item>[]> {
  if (items.length === 0) return [];
  if (tx.isolatesUntilMs === null) {
    await write(items);
    return [];
  }
  const search = new Search(tx, table, write, tx.isolatesUntilMs);
  return await withShortWaits(tx, () => search.run(items));
}

/** {@link guarded} for a statement that finds its rows itself. @param find locks nothing. */
export async function guardedSet<Item>(
  tx: Transaction,
  table: string,
  find: () => Promise<readonly Item[]>,
  write: (only: readonly Item[] | null) => Promise<void>,
): Promise<readonly Refused<Item>[]> {
  if (tx.isolatesUntilMs !== null) return await guarded(tx, table, await find(), write);
  await write(null);
  return [];
}

class Search<Item> {
  readonly #tx: Transaction;
  readonly #table: string;
  readonly #write: (part: readonly Item[]) => Promise<void>;
  readonly #untilMs: number;
  #written = 0;
  #refusedAlone = 0;
  /** Why nothing more is tried. */
  #over: RowTrouble | null = null;

  constructor(
    tx: Transaction,
    table: string,
    write: (part: readonly Item[]) => Promise<void>,
    untilMs: number,
  ) {
    this.#tx = tx;
    this.#table = table;
    this.#write = write;
    this.#untilMs = untilMs;
  }

  async run(items: readonly Item[]): Promise<readonly Refused<Item>[]> {
    let refused = await this.#halve(items, items);
    for (;;) {
      const again = refused.filter(({ trouble }) => DEPENDS_ON_OTHERS.test(trouble.sqlState ?? ''));
      if (again.length === 0 || this.#written === 0 || this.#over !== null) return refused;
      const left = await this.#halve(
        again.map(({ item }) => item),
        items,
      );
      const others = refused.filter((one) => !again.includes(one));
      refused = [...others, ...left];
      if (left.length === again.length) return refused;
    }
  }

  async #halve(part: readonly Item[], all: readonly Item[]): Promise<readonly Refused<Item>[]> {
    if (this.#over !== null) return this.#refuse(part, this.#over);
    const trouble = await this.#try(part);
    if (trouble === null) return [];
    if (part.length === 1) {
      this.#refusedAlone += 1;
      if (this.#refusedAlone === SAMPLE && this.#written === 0 && all.length > SAMPLE) {
        await this.#sample(all);
      }
      return this.#refuse(part, trouble);
    }
    if (performance.now() > this.#untilMs) this.#over = trouble;
    const half = Math.ceil(part.length / 2);
    const first = await this.#halve(part.slice(0, half), all);
    return [...first, ...(await this.#halve(part.slice(half), all))];
  }

  /** Those refused may stand together by chance: some from all over have to fail as well. */
  async #sample(all: readonly Item[]): Promise<void> {
    let trouble: RowTrouble | null = null;
    for (let n = 0; n < SAMPLE; n += 1) {
      const item = all[Math.floor(((n + 0.5) * all.length) / SAMPLE)];
      trouble = item === undefined ? trouble : await this.#try([item]);
      if (trouble === null) return;
    }
    this.#over = trouble;
  }

  #refuse(part: readonly Item[], trouble: RowTrouble): readonly Refused<Item>[] {
    return part.map((item) => ({ item, trouble }));
  }

  /** @returns why it was not written; null where it was. */
  async #try(part: readonly Item[]): Promise<RowTrouble | null> {
    await this.#tx.query('SAVEPOINT guarded_rows');
    try {
      await this.#write(part);
      await this.#tx.query('RELEASE SAVEPOINT guarded_rows');
    } catch (error) {
      if (!isRowTrouble(error)) throw error;
      await this.#tx.query('ROLLBACK TO SAVEPOINT guarded_rows');
      const trouble = troubleOf(error, plainName(renderSql(this.#table, this.#tx.schemas)));
      if (trouble.sqlState === '55P03') await this.#lockTable();
      return trouble;
    }
    this.#written += part.length;
    return null;
  }

  /** Where the table itself is held, no row is to blame. */
  async #lockTable(): Promise<void> {
    await this.#tx.query(`LOCK TABLE ${this.#table} IN ROW EXCLUSIVE MODE`);
  }
}

function plainName(qualified: string): string {
  return qualified.replace(/^"|"$/g, '').replace('"."', '.');
}

async function withShortWaits<T>(tx: Transaction, run: () => Promise<T>): Promise<T> {
  const [before] = await tx.query<{ lock: string; statement: string }>(
    `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
            set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)`,
    [`${LOCK_MS}ms`, `${STATEMENT_MS}ms`],
  );
  const result = await run();
  await tx.query(
    `SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)`,
    [before?.lock ?? '10s', before?.statement ?? '5min'],
  );
  return result;
}
