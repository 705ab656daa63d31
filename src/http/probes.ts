import type { FastifyInstance } from 'fastify';
import type { MigrationResult } from '../db/migrate.ts';
import type { ObjectStanding } from '../db/service/status.ts';
import { SyncError } from '../domain/errors.ts';
import type { Snapshot } from './snapshot.ts';
import type { NextRun, StatusSource } from './status-source.ts';
import { withinMs } from './within.ts';

export interface ReadinessFacts {
  /** Null where the database did not answer; `newer` where a newer version has made more. */
  readonly migrations: MigrationResult | 'newer' | null;
  readonly leads: boolean;
  /** Somebody leads, this process or another. */
  readonly led: boolean;
  readonly objects: readonly Pick<ObjectStanding, 'object' | 'lagSeconds' | 'lastError'>[];
  readonly nextRun: (object: string) => NextRun | null;
}

export interface Readiness {
  readonly ready: boolean;
  /** One line per check, without values. */
  readonly lines: readonly string[];
}

/** A read that fails for this long is more than a hiccup. */
const GRACE_MS = 15 * 60_000;
const SCHEDULES_MISSED = 3;
/** Whoever probes gives up soon; no answer from the database is an answer. */
export const PROBE_MS = 3_000;
/** Listed by the CRM and yet without records: nothing here could read it. */
const UNAVAILABLE = 'object-unavailable';

/**
 * Whether this daemon does its work: the database answers and is migrated; it leads, or stands by
 * behind a leader; and as leader it has read everything lately. An object whose first read is
 * under way is not late.
 */
export function judgeReadiness(facts: ReadinessFacts): Readiness {
  const { migrations, leads, led } = facts;
  if (migrations === null) return { ready: false, lines: ['database: not reachable'] };
  const late = leads ? facts.objects.filter((object) => isLate(object, facts.nextRun)) : [];
  const checks = [
    { ok: true, line: 'database: reachable' },
    judgeMigrations(migrations),
    { ok: led, line: `leader: ${leads ? 'this process' : led ? 'another process' : 'nobody'}` },
    {
      ok: late.length === 0,
      line: `late: ${late.map(({ object }) => object).join(', ') || 'nothing'}`,
    },
  ];
  return {
    ready: checks.every(({ ok }) => ok),
    lines: checks.map(({ ok, line }) => `${ok ? 'ok' : 'not ok'} - ${line}`),
  };
}

/** Beside a newer version, which has migrated already, the older one works on until it is stopped. */
function judgeMigrations(migrations: MigrationResult | 'newer') {
  if (migrations === 'newer') {
    return { ok: true, line: 'migrations: all, and more of a newer version that is to take over' };
  }
  const { applied, total } = migrations;
  return { ok: applied === total, line: `migrations: ${applied} of ${total}` };
}

/** Three schedules and a quarter of an hour after its last complete read. */
export function isLate(
  { lagSeconds, lastError, object }: ReadinessFacts['objects'][number],
  nextRun: ReadinessFacts['nextRun'],
): boolean {
  if (lagSeconds === null || lastError === UNAVAILABLE) return false;
  const intervalMs = nextRun(object)?.intervalMs ?? 0;
  return lagSeconds * 1_000 > GRACE_MS + SCHEDULES_MISSED * intervalMs;
}

/** Both answer without a token, for whoever restarts processes has none, and tell no value. */
export function addProbe(app: FastifyInstance, judge: () => Promise<Readiness>): void {
  app.get('/livez', async (_request, reply) => {
    return await reply.type('text/plain; charset=utf-8').send('ok\n');
  });
  app.get('/readyz', async (_request, reply) => {
    const { ready, lines } = await judge();
    return await reply
      .code(ready ? 200 : 503)
      .type('text/plain; charset=utf-8')
      .send(`${lines.join('\n')}\n`);
  });
}

export function addProbes(app: FastifyInstance, source: StatusSource, snapshot: Snapshot): void {
  addProbe(app, async () => judgeReadiness(await readFacts(source, snapshot)));
}

async function readFacts(source: StatusSource, snapshot: Snapshot): Promise<ReadinessFacts> {
  const leads = source.leads();
  const nextRun = (object: string) => source.nextRun(object);
  const facts = await withinMs(
    PROBE_MS,
    Promise.all([snapshot.migrations().catch(newer), snapshot.lease(), snapshot.standing()]),
  );
  if (facts === null) return { migrations: null, leads, led: leads, objects: [], nextRun };
  const [migrations, lease, objects] = facts;
  return { migrations, leads, led: leads || lease !== null, objects, nextRun };
}

function newer(error: unknown): 'newer' {
  if (error instanceof SyncError && error.code === 'schema-newer') return 'newer';
  throw error;
}
