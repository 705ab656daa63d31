import { SyncError } from '../../domain/errors.ts';
import type { DeletePolicy } from '../../domain/policy.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Database, Sql, Transaction } from '../database.ts';
import { type Catalog, readCatalog } from './catalog.ts';
import { fillFromExtra } from './fill.ts';
import { type Mirror, mirrorOnRecord } from './load.ts';
import {
  isEmptyPlan,
  isNewVersion,
  type MirrorPlan,
  type PlanOptions,
  planMirror,
  planSteps,
  schemasOnRecord,
} from './plan.ts';
import type { Step } from './plan-columns.ts';
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
  writeRecord,
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
      const change = await bringUp(tx, schemas, options);
      const freed = await recordProblems(tx, change.problems);
      // What was read meanwhile told links to nobody.
      await forgetLinks(tx, freed);
      if (options.deletePolicies) await writeDeletePolicies(tx, options.deletePolicies);
      return freed.length === 0 ? change : { ...change, standing: null };
    },
    { asWriter: true, lockTimeoutMs, statementTimeoutMs: STATEMENT_TIMEOUT_MS },
  );
}

async function bringUp(
  tx: Transaction,
  schemas: readonly ObjectSchema[],
  options: PlanOptions,
): Promise<MirrorChange> {
  const glance = await readCatalog(tx);
  if (schemas.length === 0 && glance.mirrors.size > 0) throw emptySchema();
  const expected = planMirror(glance, schemas, options);
  if (isEmptyPlan(glance, expected)) return unchanged(glance, expected);
  await lockMirror(tx);
  // What stood before the lock was ours may have changed while we waited for it.
  const catalog = await readCatalog(tx);
  const plan = planMirror(catalog, schemas, options);
  if (isEmptyPlan(catalog, plan)) return unchanged(catalog, plan);
  return await carryOut(tx, catalog, plan);
}

function unchanged(catalog: Catalog, { problems }: MirrorPlan): MirrorChange {
  const stopped = new Set<string>();
  // A problem may be new, or of another kind than the one on record.
  const standing = problems.length === 0 ? mirrorOnRecord({ ...catalog, stopped }) : null;
  return { steps: [], created: [], unfilled: [], problems, standing };
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
  const steps: Step[] = [];
  const created: string[] = [];
  const unfilled: { object: string; field: string }[] = [];
  const problems = [...plan.problems];
  const attempt = async (unit: Unit, after: () => Promise<void>): Promise<boolean> => {
    const problem = await attemptUnit(tx, unit, after);
    if (problem === null) steps.push(...unit.steps);
    else problems.push(problem);
    return problem === null;
  };
  await runSteps(tx, plan.preparations);
  steps.push(...plan.preparations);
  const identified: string[] = [];
  for (const unit of plan.objects) {
    const { object, table, added, widened, record } = unit;
    const isDone = await attempt(unit, async () => {
      await fillFromExtra(tx, table, [...added, ...widened]);
      if (unit.created) await forgetProgress(tx, object);
      else if (added.length > 0) await restartFirstRead(tx, object);
      if (record !== null) await writeRecord(tx, record);
    });
    if (!isDone) continue;
    if (unit.unidentified) identified.push(object);
    if (unit.created) created.push(object);
    unfilled.push(...added.map(({ field }) => ({ object, field: field.name })));
  }
  await recordTables(tx, catalog.home, identified);
  for (const unit of plan.removals) {
    await attempt(unit, () => recordRemoval(tx, unit.object));
  }
  for (const unit of plan.links) {
    await attempt(unit, async () => {
      if (unit.created) await forgetLinks(tx, [unit.object]);
    });
  }
  const broken = brokenTables(plan, problems);
  for (const unit of plan.relations) {
    if (!unit.tables.some((table) => broken.has(table))) await attempt(unit, async () => {});
  }
  for (const unit of plan.histories) await attempt(unit, async () => {});
  const failed = new Set(problems.map(({ object }) => object));
  const objects = schemasOnRecord(catalog, plan, failed);
  if (isNewVersion(catalog, steps, objects)) await recordVersion(tx, { steps, objects });
  return { steps, created, unfilled, problems, standing: null };
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

/** All of a unit or nothing of it: what it cannot do must not stop the others. */
async function attemptUnit(
  tx: Sql,
  unit: Unit,
  after: () => Promise<void>,
): Promise<MirrorProblem | null> {
  await tx.query('SAVEPOINT mirror_unit');
  try {
    const [first, ...rest] = unit.steps;
    if (first !== undefined) await runSteps(tx, [first, HOLDING, ...rest]);
    await after();
    await tx.query('RELEASE SAVEPOINT mirror_unit');
    return null;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    const isWaiting = isLockTimeout(error);
    if (error.disposition === 'retry' && !isWaiting) throw error;
    await tx.query('ROLLBACK TO SAVEPOINT mirror_unit');
    if (!isWaiting) {
      const failed = unit.keyless ? keylessTable : failedObject;
      return problemOf(unit.object, failed(unit.object, error));
    }
    await runSteps(tx, [HOLDING]);
    return problemOf(unit.object, schemaLockTimeout(unit.object, error));
  }
}

/** In one message: a workspace's first start has a thousand of them. */
async function runSteps(tx: Sql, steps: readonly Pick<Step, 'sql'>[]): Promise<void> {
  if (steps.length > 0) await tx.query(steps.map(({ sql }) => sql).join(';\n'));
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof SyncError && error.code === 'database-lock-timeout';
}
