import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Chance } from '../simulation/chance.ts';

export const OBJECTS = ['person', 'company', 'deal', 'task', 'c_project'] as const;
export type Meddled = (typeof OBJECTS)[number];

/** The field of each object that both sides edit. */
export const EDITED: Readonly<Record<Meddled, string>> = {
  person: 'job_title',
  company: 'name',
  deal: 'name',
  task: 'title',
  c_project: 'name',
};

/** What a user does to a table, and how it is taken away again; `n` makes its names its own. */
interface Meddling {
  readonly name: string;
  readonly up: (object: Meddled, n: number) => string;
  readonly down: (object: Meddled, n: number) => string;
  /** The statement stays open, and its locks held, for as long as it stands. */
  readonly held?: true;
}

const table = (object: Meddled) => `clarify.${object}`;

function trigger(name: string, events: string, body: string): Meddling {
  return {
    name,
    up: (object, n) => `
      CREATE FUNCTION public.f${n}() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE r record; BEGIN IF TG_OP = 'DELETE' THEN r := OLD; ELSE r := NEW; END IF;
        IF hashtext(r._key) % 4 = 0 THEN ${body} END IF; RETURN r; END $$;
      CREATE TRIGGER t${n} BEFORE ${events} ON ${table(object)} FOR EACH ROW EXECUTE FUNCTION public.f${n}()`,
    down: (_object, n) => `DROP FUNCTION public.f${n}() CASCADE`,
  };
}

function constraint(name: string, definition: (object: Meddled) => string): Meddling {
  return {
    name,
    up: (object, n) => `ALTER TABLE ${table(object)} ADD CONSTRAINT k${n} ${definition(object)}`,
    down: (object, n) => `ALTER TABLE ${table(object)} DROP CONSTRAINT IF EXISTS k${n}`,
  };
}

/** Nothing has to be taken away: what is missing is made again. */
const nothing = () => 'SELECT';

const MEDDLINGS: readonly Meddling[] = [
  constraint('check', (object) => `CHECK (${EDITED[object]} NOT LIKE '%7%') NOT VALID`),
  constraint(
    'exclusion',
    (object) =>
      `EXCLUDE (left(${EDITED[object]}, 9) WITH =) WHERE (${EDITED[object]} LIKE 'value 1%') DEFERRABLE INITIALLY DEFERRED`,
  ),
  {
    name: 'unique index',
    up: (object, n) =>
      `CREATE UNIQUE INDEX u${n} ON ${table(object)} (hashtext(_key))  WHERE ${EDITED[object]} LIKE '%3'`,
    down: (_object, n) => `DROP INDEX IF EXISTS clarify.u${n}`,
  },
  {
    name: 'expression index that fails',
    up: (object, n) => `
      CREATE FUNCTION public.x${n}(text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN IF $1 LIKE '%5' THEN RAISE 'no'; END IF; RETURN 1; END $$;
      CREATE INDEX i${n} ON ${table(object)} (public.x${n}(${EDITED[object]})) WHERE ${EDITED[object]} LIKE '%5'`,
    down: (_object, n) => `DROP FUNCTION IF EXISTS public.x${n}(text) CASCADE`,
  },
  {
    name: 'foreign key',
    up: (object, n) => `
      CREATE TABLE public.r${n} (id text REFERENCES ${table(object)} (id));
      INSERT INTO public.r${n} SELECT id FROM ${table(object)} ORDER BY hashtext(id) LIMIT 8`,
    down: (_object, n) => `DROP TABLE IF EXISTS public.r${n}`,
  },
  {
    name: 'foreign key that is checked at the end',
    up: (object, n) => `
      CREATE TABLE public.r${n} (id text REFERENCES ${table(object)} (id) DEFERRABLE INITIALLY DEFERRED);
      INSERT INTO public.r${n} SELECT id FROM ${table(object)} ORDER BY hashtext(id) LIMIT 8`,
    down: (_object, n) => `DROP TABLE IF EXISTS public.r${n}`,
  },
  trigger('trigger that raises', 'INSERT OR UPDATE', `RAISE 'no' USING ERRCODE = 'ABCDE';`),
  trigger('trigger over a table that is gone', 'UPDATE OR DELETE', 'PERFORM 1 FROM public.gone;'),
  trigger('trigger that leaves rows out', 'INSERT OR UPDATE OR DELETE', 'RETURN NULL;'),
  {
    name: 'row security',
    up: (object) => `ALTER TABLE ${table(object)} ENABLE ROW LEVEL SECURITY`,
    down: (object) => `ALTER TABLE ${table(object)} DISABLE ROW LEVEL SECURITY`,
  },
  {
    name: 'published without identity',
    up: (object, n) =>
      `CREATE PUBLICATION p${n} FOR TABLE ${table(object)}; ALTER TABLE ${table(object)} REPLICA IDENTITY NOTHING`,
    down: (object, n) =>
      `DROP PUBLICATION IF EXISTS p${n}; ALTER TABLE ${table(object)} REPLICA IDENTITY DEFAULT`,
  },
  {
    name: 'column dropped',
    up: (object) => `ALTER TABLE ${table(object)} DROP COLUMN ${EDITED[object]} CASCADE`,
    down: nothing,
  },
  {
    name: 'column renamed',
    up: (object, n) => `ALTER TABLE ${table(object)} RENAME COLUMN ${EDITED[object]} TO mine_${n}`,
    down: nothing,
  },
  {
    name: 'column retyped',
    up: (object) => `ALTER TABLE ${table(object)} ALTER COLUMN ${EDITED[object]} TYPE varchar(40)`,
    down: nothing,
  },
  {
    name: 'key dropped',
    up: (object) => `ALTER TABLE ${table(object)} DROP CONSTRAINT ${object}_pkey CASCADE`,
    down: nothing,
  },
  {
    name: 'trigger of ours dropped',
    up: (object) => `DROP TRIGGER clarify_notify_update ON ${table(object)}`,
    down: nothing,
  },
  {
    name: 'own column, filled by a trigger',
    up: (object, n) => `ALTER TABLE ${table(object)} ADD COLUMN own_${n} integer DEFAULT ${n}`,
    down: (object, n) => `ALTER TABLE ${table(object)} DROP COLUMN IF EXISTS own_${n} CASCADE`,
  },
  {
    name: 'index being built',
    held: true,
    up: (object, n) => `CREATE INDEX held_${n} ON ${table(object)} (_synced_at)`,
    down: nothing,
  },
  {
    name: 'table locked',
    held: true,
    up: (object) => `LOCK TABLE ${table(object)} IN ACCESS EXCLUSIVE MODE`,
    down: nothing,
  },
  {
    name: 'rows locked',
    held: true,
    up: (object) => `SELECT FROM ${table(object)} FOR UPDATE`,
    down: nothing,
  },
];

export interface Meddler {
  /** How often each thing was done. */
  readonly done: ReadonlyMap<string, number>;
  /** When each object was last meddled with, or what stood on it was taken away; `performance.now()`. */
  readonly touchedAtMs: ReadonlyMap<Meddled, number>;
  /** Takes everything away. */
  stop(): Promise<void>;
}

/** Users who build onto the tables whatever they like, take it away, and lock them meanwhile. */
export function startMeddling(
  databaseUrl: string,
  { chance, mostAtOnce }: { readonly chance: Chance; readonly mostAtOnce: number },
): Meddler {
  const done = new Map<string, number>();
  const touchedAtMs = new Map<Meddled, number>();
  const stopping = new AbortController();
  const free = new Set<Meddled>(OBJECTS);
  let n = 0;

  const meddle = async (object: Meddled, { name, up, down, held }: Meddling): Promise<void> => {
    n += 1;
    const id = n;
    const client = new pg.Client({ connectionString: databaseUrl });
    client.on('error', () => {});
    await client.connect();
    touchedAtMs.set(object, Number.POSITIVE_INFINITY);
    try {
      await client.query(`SET lock_timeout = '10s'`);
      await client.query('BEGIN');
      try {
        await client.query(up(object, id));
        if (!held) await client.query('COMMIT');
        done.set(name, (done.get(name) ?? 0) + 1);
        const { signal } = stopping;
        await sleep(chance.int(500, held ? 12_000 : 20_000), undefined, { signal }).catch(() => {});
      } catch (error) {
        // Its locks were not to be had, or what it builds on is not there just now.
        if (!(error instanceof pg.DatabaseError)) throw error;
      }
      await client.query('ROLLBACK');
      await untilDone(client, down(object, id));
    } finally {
      await client.end();
      touchedAtMs.set(object, performance.now());
      free.add(object);
    }
  };

  const one = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const object = chance.of([...free]);
      free.delete(object);
      await meddle(object, chance.of(MEDDLINGS));
      await sleep(chance.int(0, 3_000));
    }
  };
  const working = Promise.all(Array.from({ length: mostAtOnce }, one));
  return {
    done,
    touchedAtMs,
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** What was built is taken away in the end, however long its locks take to be had. */
async function untilDone(client: pg.Client, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(statement);
      return;
    } catch (error) {
      if (attempt >= 20) throw error;
      await sleep(250);
    }
  }
}
