import type { ClarifyRemote } from '../../src/crm/clarify/remote.ts';
import type { Database, Sql, Transaction } from '../../src/db/connection/database.ts';
import { DatabaseSyncError } from '../../src/db/connection/database-error.ts';
import type { CallOptions, Remote, RemoteJobs } from '../../src/domain/remote.ts';
import type { ObjectSchema } from '../../src/domain/schema.ts';

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

/** What a process asks of Clarify. */
export interface Question {
  readonly ask: keyof Remote | keyof RemoteJobs;
  readonly object: string | null;
}

/** A process that stands still, with an answer in its hands. */
export interface Standstill {
  readonly reached: Promise<void>;
  resume(): void;
}

/** When a process dies, and whether it has. */
export interface Fate {
  readonly dead: boolean;
  readonly strokes: number;
  arm(stroke: Stroke): void;
  disarm(): void;
  /** Stands still once such a question has been answered, well or badly. */
  pauseAt(matches: (question: Question) => boolean): Standstill;
  /** Returns once the process may go on. */
  answered(question: Question): Promise<void>;
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
  let pause: ((question: Question) => Promise<void>) | null = null;
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
    pauseAt(matches) {
      const [reached, resumed] = [promised(), promised()];
      pause = async (question) => {
        if (!matches(question)) return;
        pause = null;
        reached.resolve();
        await resumed.promise;
      };
      return { reached: reached.promise, resume: resumed.resolve };
    },
    async answered(question) {
      await pause?.(question);
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

function promised() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
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
    schemas: on.schemas,
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
    single: (text, limits) => through(fate, () => db.single(mutate(text), limits)),
    repeated: (text, values) => through(fate, () => db.repeated(mutate(text), values)),
    repeatedSingle: (write, texts) =>
      through(fate, () => db.repeatedSingle((places) => mutate(write(places)), texts)),
    get clock() {
      return db.clock;
    },
    close: () => db.close(),
  };
}

/** A client whose process may die before it asks, or when it is answered. */
export function mortalRemote(remote: ClarifyRemote, fate: Fate, timeoutMs: () => number): Remote {
  const call = async <T>(question: Question, operate: () => Promise<T>): Promise<T> => {
    const stroke = fate.next();
    // Breaking connections is up to the emulator's faults.
    if (stroke?.kind === 'kill' && stroke.at === 'before') fate.strike(stroke);
    try {
      return await operate();
    } finally {
      await fate.answered(question);
      if (stroke?.kind === 'kill') fate.strike(stroke);
      fate.check();
    }
  };
  const { jobs } = remote;
  const patient = <O extends object>(options: O) => ({ ...options, timeoutMs: timeoutMs() });
  const onObject = <R extends { readonly object: ObjectSchema }, T>(
    ask: Question['ask'],
    operate: (request: R, options: CallOptions) => Promise<T>,
  ) => {
    return (request: R, options: CallOptions) =>
      call({ ask, object: request.object.object }, () => operate(request, patient(options)));
  };
  return {
    title: remote.title,
    discover: (options) =>
      call({ ask: 'discover', object: null }, () => remote.discover(patient(options))),
    readUsers: (options) =>
      call({ ask: 'readUsers', object: null }, () => remote.readUsers(patient(options))),
    readPage: onObject('readPage', remote.readPage),
    readDeletions: onObject('readDeletions', remote.readDeletions),
    readRecord: onObject('readRecord', remote.readRecord),
    readLinks: onObject('readLinks', remote.readLinks),
    readHistory: onObject('readHistory', remote.readHistory),
    create: onObject('create', remote.create),
    update: onObject('update', remote.update),
    delete: onObject('delete', remote.delete),
    setLinks: onObject('setLinks', remote.setLinks),
    removeLinks: onObject('removeLinks', remote.removeLinks),
    ...(jobs === undefined
      ? {}
      : {
          jobs: {
            submit: onObject('submit', jobs.submit),
            poll: onObject('poll', jobs.poll),
            readBack: onObject('readBack', jobs.readBack),
          },
        }),
    capabilitiesOf: remote.capabilitiesOf,
    get limits() {
      return remote.limits;
    },
    get clock() {
      return remote.clock;
    },
  };
}
