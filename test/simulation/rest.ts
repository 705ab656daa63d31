import { reconcileAll } from '../../src/app/reconcile-all.ts';
import type { Session } from '../../src/app/session.ts';
import { sweepAll } from '../../src/app/sweep-all.ts';
import { pushOnce, readAll } from './sync-steps.ts';
import type { World } from './world.ts';

const MOST_PASSES = 14;
/** Longer than any backoff of an entry. */
const PATIENCE_MS = 310_000;
/** A round that has begun is through with the second of these, whatever its pages. */
const SWEEP_MS = 60_000;
const MOST_SWEEPS = 4;

/**
 * Syncs until nothing moves any more, and a whole round of the sweep has found nothing either: what
 * bumps no timestamp agrees only then (invariant 7). @returns the number of passes.
 */
export async function comeToRest(world: World, problems: string[]): Promise<number> {
  const [daemon] = world.daemons;
  if (!daemon) return 0;
  const { signal } = world;
  for (let pass = 1; pass <= MOST_PASSES; pass += 1) {
    signal.throwIfAborted();
    await world.clock.skip(pass === 1 ? 60_000 : 20_000);
    const session = await daemon.session();
    const isStill = await syncOnce(world, session, pass);
    if (isStill && (await sweepRound(world, session)) === 0) return pass;
  }
  problems.push(`no rest after ${MOST_PASSES} passes: ${world.log.at(-1)}`);
  return MOST_PASSES;
}

/** @returns whether nothing moved. */
async function syncOnce(world: World, session: Session, pass: number): Promise<boolean> {
  const { signal } = world;
  const writesBefore = world.writeRequests;
  const runs = await readAll(session, signal);
  const failed = runs.filter(({ state }) => state !== 'ok');
  if (failed.some(({ error }) => error?.code === 'reconcile-no-witness')) {
    // Where all records of an object are gone, a person has to say that this is right.
    await reconcileAll(session, { signal, priority: 'pull', approve: true });
  }
  const pushed = await pushOnce(world, session);
  const { rows } = await world.arena.client.query<{
    moving: number;
    deferred: number;
    backoff: boolean;
  }>(
    `SELECT (SELECT count(*)::int FROM clarify_sync.deferred) AS deferred,
            count(*)::int AS moving,
            coalesce(bool_or(next_attempt_at > sim.clock_timestamp()), false) AS backoff
       FROM clarify_sync.outbox AS o
      WHERE state = 'sending' OR (state = 'pending' AND NOT EXISTS (
            SELECT 1 FROM clarify_sync.outbox AS b WHERE b.id = o.blocked_by AND b.state = 'parked'))`,
  );
  const [left] = rows;
  if (left?.backoff) await world.clock.skip(PATIENCE_MS);
  const changed = runs.reduce(
    (sum, { counts }) =>
      sum + (counts.inserted ?? 0) + (counts.updated ?? 0) + (counts.removed ?? 0),
    0,
  );
  const still = changed === 0 && world.writeRequests === writesBefore && failed.length === 0;
  world.log.push(
    `rest ${pass}: ${changed} rows changed, ${world.writeRequests - writesBefore} writes, ` +
      `${left?.moving} entries moving, ${left?.deferred} deferred` +
      `${pushed === null ? ', somebody else leads' : ''}${failed.map((run) => `, ${run.object} ${run.error?.code}`).join('')}`,
  );
  return still && left?.moving === 0 && left.deferred === 0;
}

/** Sweeps until every object has had a round from now on. @returns the rows and links it changed. */
async function sweepRound(world: World, session: Session): Promise<number> {
  const { client, tables } = world.arena;
  const { rows } = await client.query<{ now: string }>('SELECT sim.clock_timestamp()::text AS now');
  let changed = 0;
  for (let sweeps = 1; sweeps <= MOST_SWEEPS; sweeps += 1) {
    await world.clock.skip(SWEEP_MS);
    for (const run of await sweepAll(session, { signal: world.signal, priority: 'pull' })) {
      changed += run.changed + run.linked + run.unlinked;
    }
    const through = await client.query(
      'SELECT FROM clarify_sync.sweep WHERE started_at >= $1::timestamptz AND finished_at IS NOT NULL',
      [rows[0]?.now],
    );
    if (through.rowCount === tables.length) break;
  }
  world.log.push(`a round of the sweep: ${changed} rows and links changed`);
  return changed;
}
