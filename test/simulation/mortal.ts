import type { Database, Sql, Transaction } from '../../src/db/database.ts';
import { DatabaseSyncError } from '../../src/db/database-error.ts';
import type { Remote } from '../../src/domain/remote.ts';

/** The process is gone: whatever it still tries comes to nothing. */
export class Dead extends Error {
  override readonly name = 'Dead';
}

/** What happens to a process at its n-th statement, commit or request. */
export interface Stroke {
  /** `kill`, or the connection to Postgres breaks and the process lives. */
  readonly kind: 'kill' | 'flake';
  /** Before it is carried out, or after, with the answer lost. */
  readonly at: 'before' | 'after';
  readonly in: number;
}

/** When a process dies, and whether it has. */
export interface Fate {
  readonly dead: boolean;
  readonly strokes: number;
  arm(stroke: Stroke): void;
  disarm(): void;
  die(): void;
  /** Counts an operation. @returns what strikes it. @throws Dead */
  next(): Stroke | null;
  strike(stroke: Stroke): never;
  check(): void;
}

export function createFate(onDeath: () => void): Fate {
  let dead = false;
  let armed: Stroke | null = null;
  let left = 0;
  let strokes = 0;
  const check = () => {
    if (dead) throw new Dead('killed');
  };
  const die = () => {
    if (dead) return;
    dead = true;
    onDeath();
  };
  return {
    get dead() {
      return dead;
    },
    get strokes() {
      return strokes;
    },
    arm(stroke) {
      armed = stroke;
      left = stroke.in;
    },
    disarm() {
      armed = null;
    },
    die,
    check,
    next() {
      check();
      if (armed === null) return null;
      left -= 1;
      if (left > 0) return null;
      const due = armed;
      armed = null;
      return due;
    },
    strike({ kind }) {
      strokes += 1;
      if (kind === 'kill') {
        die();
        throw new Dead('killed');
      }
      throw new DatabaseSyncError('Postgres did not answer (simulated)', null, {
        code: 'database-unreachable',
        disposition: 'retry',
      });
    },
  };
}

async function through<T>(fate: Fate, operate: () => Promise<T>): Promise<T> {
  const stroke = fate.next();
  if (stroke?.at === 'before') fate.strike(stroke);
  const result = await operate();
  if (stroke?.at === 'after') fate.strike(stroke);
  fate.check();
  return result;
}

/** Changes statements on their way, to see whether anybody notices. */
export type Mutation = (text: string) => string;

/** A database that its user may lose at any statement, and at any commit on either side of it. */
export function mortalDatabase(db: Database, fate: Fate, mutate: Mutation): Database {
  const sql = (on: Sql): Sql => ({
    query: (text, values) => through(fate, () => on.query(mutate(text), values)),
  });
  return {
    ...sql(db),
    async transaction(work, options) {
      fate.check();
      let onCommit: Stroke | null = null;
      const result = await db.transaction(async (tx: Transaction) => {
        const done = await work({ ...tx, ...sql(tx) });
        onCommit = fate.next();
        if (onCommit?.at === 'before') fate.strike(onCommit);
        return done;
      }, options);
      if (onCommit !== null) fate.strike(onCommit);
      fate.check();
      return result;
    },
    close: () => db.close(),
  };
}

/** A client whose process may die before it asks, or when it is answered. */
export function mortalRemote(remote: Remote, fate: Fate, timeoutMs: () => number): Remote {
  const call = async <T>(operate: () => Promise<T>): Promise<T> => {
    const stroke = fate.next();
    // Breaking connections is up to the emulator's faults.
    if (stroke?.kind === 'kill' && stroke.at === 'before') fate.strike(stroke);
    const result = await operate();
    if (stroke?.kind === 'kill') fate.strike(stroke);
    fate.check();
    return result;
  };
  const patient = <O extends object>(options: O) => ({ ...options, timeoutMs: timeoutMs() });
  return {
    discover: (options) => call(() => remote.discover(options)),
    readPage: (request, options) => call(() => remote.readPage(request, patient(options))),
    readDeletions: (request, options) =>
      call(() => remote.readDeletions(request, patient(options))),
    readRecord: (request, options) => call(() => remote.readRecord(request, patient(options))),
    readLinks: (request, options) => call(() => remote.readLinks(request, patient(options))),
    readFieldWrites: (request, options) =>
      call(() => remote.readFieldWrites(request, patient(options))),
    readUsers: (options) => call(() => remote.readUsers(patient(options))),
    create: (request, options) => call(() => remote.create(request, patient(options))),
    update: (request, options) => call(() => remote.update(request, patient(options))),
    delete: (request, options) => call(() => remote.delete(request, patient(options))),
    setLinks: (request, options) => call(() => remote.setLinks(request, patient(options))),
    removeLinks: (request, options) => call(() => remote.removeLinks(request, patient(options))),
    get limits() {
      return remote.limits;
    },
    get clockSkewMs() {
      return remote.clockSkewMs;
    },
  };
}
