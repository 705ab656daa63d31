import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Clock } from '../../src/crm/wire/clock.ts';

/** One time for Clarify, Postgres and every session, which passes when told to. */
export interface VirtualClock {
  nowMs(): number;
  /** Of a clock that never jumps back. */
  monotonicMs(): number;
  /** Lets time pass, a little at a time, so that no request lasts longer than its timeout. */
  pass(ms: number): Promise<void>;
  /** Lets it pass at once, while nobody does anything. */
  skip(ms: number): Promise<void>;
  /** What a client waits by: its pauses take no real time. */
  clientClock(random: () => number): Clock;
}

/** Where the functions stand that tell this time. */
export const CLOCK_SCHEMA = 'sim';

const STEP_MS = 2_000;
/** Long enough for a request that is under way to be answered. */
const REAL_PAUSE_MS = 3;

/**
 * Puts a `clock_timestamp()` and a `now()` of our own before Postgres' own, for every connection
 * made to this database from now on.
 */
export async function installVirtualTime(client: Client, database: string): Promise<void> {
  await client.query(`
    CREATE SCHEMA sim;
    CREATE TABLE sim.clock (shift_ms float8 NOT NULL);
    INSERT INTO sim.clock VALUES (0);
    CREATE FUNCTION sim.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
      'SELECT pg_catalog.clock_timestamp() + (SELECT shift_ms FROM sim.clock) * interval ''1 millisecond''';
    CREATE FUNCTION sim.now() RETURNS timestamptz LANGUAGE sql STABLE AS
      'SELECT pg_catalog.now() + (SELECT shift_ms FROM sim.clock) * interval ''1 millisecond''';
    GRANT USAGE ON SCHEMA sim TO PUBLIC;
    GRANT SELECT ON sim.clock TO PUBLIC;
    ALTER DATABASE ${database} SET search_path = sim, pg_catalog, public;
    DO $$ DECLARE c record; BEGIN
      FOR c IN SELECT table_schema, table_name, column_name, column_default FROM information_schema.columns
                WHERE table_schema = 'clarify_sync' AND column_default IN ('now()', 'clock_timestamp()')
      LOOP
        EXECUTE format('ALTER TABLE %I.%I ALTER COLUMN %I SET DEFAULT sim.%s',
                       c.table_schema, c.table_name, c.column_name, c.column_default);
      END LOOP;
    END $$`);
}

/** Begins at the real time; `client` is nobody else's connection. */
export async function startVirtualClock(client: Client): Promise<VirtualClock> {
  let shiftMs = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const move = async (ms: number): Promise<void> => {
    // Ours first: a lease must never seem to last longer here than it does there.
    shiftMs += ms;
    turn = turn.then(() => client.query('UPDATE sim.clock SET shift_ms = $1', [shiftMs]));
    await turn;
  };
  await move(0);
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await move(Math.min(left, STEP_MS));
      await delay(REAL_PAUSE_MS);
    }
  };
  const nowMs = () => Date.now() + shiftMs;
  return {
    nowMs,
    monotonicMs: () => performance.now() + shiftMs,
    pass,
    skip: move,
    clientClock: (random) => ({
      nowMs,
      monotonicMs: nowMs,
      random,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        await pass(ms);
        signal.throwIfAborted();
      },
    }),
  };
}
