import type { Database } from '../../db/connection/database.ts';
import { loadMirror, type Mirror } from '../../db/mirror/load.ts';
import {
  readSchemaState,
  readSchemaVersion,
  type SchemaState,
} from '../../db/mirror/schema-state.ts';
import { dependencyOrder } from '../../domain/dependency-order.ts';
import { SyncError } from '../../domain/errors.ts';

/**
 * What became of the mirror tables since the last look: `followed` what another process has put
 * on record; `touched` where somebody changed a table itself, which only a schema check can judge.
 */
export type SchemaDrift = 'none' | 'followed' | 'touched';

/** The mirror tables as this process knows them. */
export interface SchemaWatch {
  /** Tables in the order in which records have to be created. */
  readonly mirror: Mirror;
  /** Knows them anew after a schema check, whatever it came to. */
  around<Change extends { readonly standing: Mirror | null }>(
    check: () => Promise<Change>,
  ): Promise<Change>;
  /**
   * Reads them again where another process has changed them since. What users may have changed is
   * looked at unless that was done within `withinMs`.
   */
  follow(withinMs: number): Promise<SchemaDrift>;
  /** Likewise, by what somebody has just seen. */
  take(state: SchemaState): Promise<SchemaDrift>;
}

const UNKNOWN = { version: '', shape: '', mirror: { tables: [], links: [] } };

/** Knows no table before the first check. @param db not one of {@link followingDatabase}. */
export function watchSchema(db: Database): SchemaWatch {
  const read = async () => {
    // First: a change in between is noticed next time.
    const state = await readSchemaState(db);
    return { ...state, mirror: inOrder(await loadMirror(db)) };
  };
  let known: SchemaState & { readonly mirror: Mirror } = UNKNOWN;
  let lookedAtMs = performance.now();
  const take = async (state: SchemaState): Promise<SchemaDrift> => {
    lookedAtMs = performance.now();
    if (state.version === known.version) return state.shape === known.shape ? 'none' : 'touched';
    known = await read();
    return 'followed';
  };
  return {
    get mirror() {
      return known.mirror;
    },
    async around(check) {
      const state = await readSchemaState(db);
      const change = await check();
      const { standing } = change;
      known = standing === null ? await read() : { ...state, mirror: inOrder(standing) };
      return change;
    },
    async follow(withinMs) {
      const isDue = performance.now() - lookedAtMs >= withinMs;
      if (!isDue && (await readSchemaVersion(db)) === known.version) return 'none';
      if (isDue) lookedAtMs = performance.now();
      return await take(await readSchemaState(db));
    },
    take,
  };
}

function inOrder({ tables, links }: Mirror): Mirror {
  const order = dependencyOrder(tables.map(({ schema }) => schema));
  const sorted = tables.toSorted((a, b) => order.indexOf(a.object) - order.indexOf(b.object));
  return { tables: sorted, links };
}

/**
 * A database that tells a statement that is wrong from one that has become wrong: another process
 * may bring the tables up to the workspace's schema at any time, and between two statements, and
 * users may change them.
 *
 * @param follow takes over what has changed. @returns whether anything has.
 * @returns a database that throws SyncError `schema-moved` (retry) for the latter.
 */
export function followingDatabase(db: Database, follow: () => Promise<boolean>): Database {
  const following = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      if (!(cause instanceof SyncError) || cause.code !== 'database-statement') throw cause;
      if (!(await follow())) throw cause;
      throw new SyncError('somebody else has changed the mirror tables', {
        code: 'schema-moved',
        disposition: 'retry',
        cause,
      });
    }
  };
  return {
    schemas: db.schemas,
    get clock() {
      return db.clock;
    },
    query: (text, values) => following(() => db.query(text, values)),
    transaction: (work, options) => following(() => db.transaction(work, options)),
    single: (text, limits) => following(() => db.single(text, limits)),
    repeated: (text, values) => following(() => db.repeated(text, values)),
    repeatedSingle: (write, texts) => following(() => db.repeatedSingle(write, texts)),
    close: () => db.close(),
  };
}
