import { SyncError } from '../../domain/errors.ts';
import type { DeletePolicy } from '../../domain/policy.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Database, Sql, Transaction } from '../connection/database.ts';
import { type Catalog, catalogOf, readCatalog, readCatalogRows } from './catalog.ts';
import { fillFromExtra } from './fill.ts';
import { type Mirror, mirrorOnRecord } from './load.ts';
import {
  isDue,
  isEmptyPlan,
  isNewVersion,
  type MirrorPlan,
  type PlanOptions,
  planMirror,
  planSteps,
  schemasOnRecord,
} from './plan.ts';
import type { Step } from './plan-columns.ts';
import type { ObjectPlan } from './plan-object.ts';
import {
  emptySchema,
  failedObject,
  keylessTable,
  type MirrorProblem,
  problemOf,
  schemaLockTimeout,
} from './problem.ts';
import { recordProblems } from './problem-record.ts';
import {
  forgetLinks,
  forgetProgress,
  recordRemoval,
  recordTables,
  recordVersion,
  restartFirstRead,
  writeDeletePolicies,
  writeRecords,
} from './write-record.ts';

/** The history of objects that are not named stops. */
export interface ApplyOptions extends PlanOptions {
  /** How long DDL may wait for a lock; default 2 s. */
  readonly lockTimeoutMs?: number;
  /** What a local delete leads to, by object; objects left out keep what they have. */
  readonly deletePolicies?: ReadonlyMap<string, DeletePolicy>;
}

export interface MirrorChange {
  /** Statements that were run and recorded. */
  readonly steps: readonly Step[];
  /** Objects whose table is new and empty: they have to be read from the beginning. */
  readonly created: readonly string[];
  /** Fields whose column came to rows that stood: to be read again; see `readUnfilled`. */
  readonly unfilled: readonly { readonly object: string; readonly field: string }[];
  /**
   * Objects left as they were, and why. `schema-lock-timeout` (retry): somebody holds the table.
   */
  readonly problems: readonly MirrorProblem[];
  /** The tables as they are on record, where nothing had to be changed; null where they are to be read anew. */
  readonly standing: Mirror | null;
}

const DEFAULT_LOCK_TIMEOUT_MS = 2_000;
/**
 * Who holds locks waits no longer than this for another: far less than Postgres' `deadlock_timeout`, or a
 * user who waits for us meanwhile is the one whose transaction a deadlock ends.
 */
const HOLDING_LOCK_TIMEOUT_MS = 100;
const HOLDING = { sql: `SET LOCAL lock_timeout = ${HOLDING_LOCK_TIMEOUT_MS}` };
/** A new column with parts rewrites its table. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

/** What {@link applyMirror} would run, and what it would leave out. Changes nothing. */
export async function previewMirror(
  sql: Sql,
  schemas: readonly ObjectSchema[],
  options: PlanOptions = {},
): Promise<{ readonly steps: readonly Step[]; readonly problems: readonly MirrorProblem[] }> {
  const plan = planMirror(await readCatalog(sql), schemas, options);
  return { steps: planSteps(plan), problems: plan.problems };
}

/**
 * Brings the mirror tables up to the workspace's schema, in one transaction: objects that cannot
 * be brought there are left as they were, all of the others change at once. Who comes second
 * waits, and finds nothing to do.
 *
 * @throws SyncError `schema-empty`, `schema-lock-timeout` (another process is at it), `database-…`.
 */
export async function applyMirror(
  db: Database,
  schemas: readonly ObjectSchema[],
  options: ApplyOptions = {},
): Promise<MirrorChange> {
  const lockTimeoutMs = options.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS;
  return await db.transaction(
    async (tx) => {
      const { change, isOnRecord = false } = await bringUp(tx, schemas, options);
      if (isOnRecord) return change;
      const freed = await recordProblems(tx, change.problems);
      // What was read meanwhile told links to nobody.
      await forgetLinks(tx, freed);
      if (options.deletePolicies) await writeDeletePolicies(tx, options.deletePolicies);
      return freed.length === 0 ? change : { ...change, standing: null };
    },
    { asWriter: true, lockTimeoutMs, statementTimeoutMs: STATEMENT_TIMEOUT_MS },
  );
}

interface Outcome {
  readonly change: MirrorChange;
  /** All that is to be put on record stands there. */
  readonly isOnRecord?: boolean;
}

async function bringUp(
  tx: Transaction,
  schemas: readonly ObjectSchema[],
  options: ApplyOptions,
): Promise<Outcome> {
  const rows = await readCatalogRows(tx);
  const glance = catalogOf(tx.schemas, rows);
  if (schemas.length === 0 && glance.mirrors.size > 0) throw emptySchema();
  const expected = planMirror(glance, schemas, options);
  if (isEmptyPlan(glance, expected)) return unchanged(glance, expected, options);
  await lockMirror(tx);
  // What stood before the lock was ours may have changed while we waited for it.
  const locked = await readCatalogRows(tx);
  if (JSON.stringify(locked) === JSON.stringify(rows)) {
    return { change: await carryOut(tx, glance, expected) };
  }
  const catalog = catalogOf(tx.schemas, locked);
  const plan = planMirror(catalog, schemas, options);
  if (isEmptyPlan(catalog, plan)) return unchanged(catalog, plan, options);
  return { change: await carryOut(tx, catalog, plan) };
}

function unchanged(
  catalog: Catalog,
  { problems }: MirrorPlan,
  { deletePolicies }: ApplyOptions,
): Outcome {
  const stopped = new Set<string>();
  // A problem may be new, or of another kind than the one on record.
  const standing = problems.length === 0 ? mirrorOnRecord({ ...catalog, stopped }) : null;
  const isAsSet = [...catalog.mirrors.values()].every(
    ({ object, deletePolicy }) => (deletePolicies?.get(object) ?? deletePolicy) === deletePolicy,
  );
  return {
    change: { steps: [], created: [], unfilled: [], problems, standing },
    isOnRecord: problems.length === 0 && catalog.troubled.size === 0 && isAsSet,
  };
}

/** One at a time; until the end of the transaction. */
async function lockMirror(tx: Sql): Promise<void> {
  try {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0))`);
  } catch (error) {
    throw isLockTimeout(error) ? schemaLockTimeout('another process', error) : error;
  }
}

async function carryOut(
  tx: Transaction,
  catalog: Catalog,
  plan: MirrorPlan,
): Promise<MirrorChange> {
  const ran: Step[] = [];
  const problems = [...plan.problems];
  const attempt = async <Each extends Unit>(
    units: readonly Each[],
    after: (units: readonly Each[]) => Promise<void> = async () => {},
  ): Promise<readonly Each[]> => {
    const done = await attemptUnits(tx, units, { after, problems });
    ran.push(...done.flatMap(({ steps }) => steps));
    return done;
  };
  await runSteps(tx, plan.preparations);
  ran.push(...plan.preparations);
  const brought: ObjectPlan[] = [];
  for (const units of inTurn(plan.objects.filter(isDue))) {
    brought.push(...(await attempt(units, (done) => putOnRecord(tx, done))));
  }
  const identified = brought.filter(({ unidentified }) => unidentified);
  await recordTables(
    tx,
    catalog.home,
    identified.map(({ object }) => object),
  );
  for (const unit of plan.removals) {
    await attempt([unit], () => recordRemoval(tx, unit.object));
  }
  for (const units of inTurn(plan.links.filter(({ steps }) => steps.length > 0))) {
    await attempt(units, async (done) => {
      const created = done.filter((unit) => unit.created);
      await forgetLinks(
        tx,
        created.map(({ object }) => object),
      );
    });
  }
  const broken = brokenTables(plan, problems);
  await attempt(plan.relations.filter(({ tables }) => !tables.some((table) => broken.has(table))));
  for (const unit of plan.histories) await attempt([unit]);
  const failed = new Set(problems.map(({ object }) => object));
  const objects = schemasOnRecord(catalog, plan, failed);
  if (isNewVersion(catalog, ran, objects)) await recordVersion(tx, { steps: ran, objects });
  return {
    steps: ran,
    created: brought.filter(({ created }) => created).map(({ object }) => object),
    unfilled: brought.flatMap(({ object, added }) =>
      added.map(({ field }) => ({ object, field: field.name })),
    ),
    problems,
    standing: null,
  };
}

/** Whose tables are new all at once: making them again takes nothing. What may rewrite rows goes by itself. */
function inTurn<Each extends { readonly created: boolean }>(units: readonly Each[]): Each[][] {
  return [
    units.filter(({ created }) => created),
    ...units.filter(({ created }) => !created).map((unit) => [unit]),
  ];
}

async function putOnRecord(tx: Transaction, units: readonly ObjectPlan[]): Promise<void> {
  for (const { object, table, added, widened, created } of units) {
    await fillFromExtra(tx, table, [...added, ...widened]);
    if (!created && added.length > 0) await restartFirstRead(tx, object);
  }
  const created = units.filter((unit) => unit.created);
  await forgetProgress(
    tx,
    created.map(({ object }) => object),
  );
  await writeRecords(
    tx,
    units.flatMap(({ record }) => record ?? []),
  );
}

/** Tables of objects and links that are not what the plan wanted. */
function brokenTables(plan: MirrorPlan, problems: readonly MirrorProblem[]): ReadonlySet<string> {
  const failed = new Set(problems.map(({ object }) => object));
  const tables = [
    ...plan.objects.map(({ object, table }) => ({ object, name: table.name })),
    ...plan.links.map(({ object, link }) => ({ object, name: link.name })),
  ];
  return new Set(tables.filter(({ object }) => failed.has(object)).map(({ name }) => name));
}

interface Unit {
  readonly object: string;
  readonly steps: readonly Step[];
  /** Nothing can be written to the table unless the steps succeed. */
  readonly keyless?: boolean;
}

/**
 * All of a unit or nothing of it: what it cannot do must not stop the others, so that several are tried
 * one by one where they cannot be done together. Adds what was in the way to `problems`.
 *
 * @returns those that were done.
 */
async function attemptUnits<Each extends Unit>(
  tx: Sql,
  units: readonly Each[],
  outcome: {
    readonly after: (units: readonly Each[]) => Promise<void>;
    readonly problems: MirrorProblem[];
  },
): Promise<readonly Each[]> {
  const [unit, ...others] = units;
  if (unit === undefined) return [];
  await tx.query('SAVEPOINT mirror_unit');
  try {
    const [first, ...rest] = units.flatMap(({ steps }) => steps);
    if (first !== undefined) await runSteps(tx, [first, HOLDING, ...rest]);
    await outcome.after(units);
    await tx.query('RELEASE SAVEPOINT mirror_unit');
    return units;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    const isWaiting = isLockTimeout(error);
    if (error.disposition === 'retry' && !isWaiting) throw error;
    await tx.query('ROLLBACK TO SAVEPOINT mirror_unit');
    if (others.length > 0) {
      const done: Each[] = [];
      for (const one of units) done.push(...(await attemptUnits(tx, [one], outcome)));
      return done;
    }
    if (isWaiting) await runSteps(tx, [HOLDING]);
    outcome.problems.push(problemOf(unit.object, reasonOf(unit, error)));
    return [];
  }
}

function reasonOf({ object, keyless = false }: Unit, error: SyncError): SyncError {
  if (isLockTimeout(error)) return schemaLockTimeout(object, error);
  return keyless ? keylessTable(object, error) : failedObject(object, error);
}

/** In one message: a workspace's first start has a thousand of them. */
async function runSteps(tx: Sql, steps: readonly Pick<Step, 'sql'>[]): Promise<void> {
  if (steps.length > 0) await tx.query(steps.map(({ sql }) => sql).join(';\n'));
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof SyncError && error.code === 'database-lock-timeout';
}
