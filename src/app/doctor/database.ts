import { type Database, openDatabase } from '../../db/connection/database.ts';
import { controlVersion } from '../../db/migrate.ts';
import { readMirrors, readObjects } from '../../db/mirror/catalog.ts';
import { loadMirror } from '../../db/mirror/load.ts';
import { readMirrorProblems } from '../../db/mirror/problem-record.ts';
import {
  readInstallationFacts,
  readMissingRights,
  readServerFacts,
  readSettingFacts,
  readTriggerFacts,
  type ServerFacts,
} from '../../db/service/health.ts';
import { adoptDatabase, ensureInstallation, refuseOthers } from '../../db/service/installation.ts';
import { readTroubles } from '../../db/service/trouble.ts';
import { type Config, schemasFor } from '../config/config.ts';
import { startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.ts';
import { EMBEDDED_FOLDER, isPooled } from '../open-database.ts';
import { mirroredOf, previewWorkspace } from '../workspace-schema.ts';
import { checkGrants, checkPublication, DEPENDANT_CHECKS } from './beside.ts';
import {
  type Check,
  type DoctorOptions,
  type Finding,
  failed,
  hintOf,
  ok,
  type ToldWorkspace,
} from './check.ts';
import { checkDeclared } from './declared.ts';
import { checkRows } from './rows.ts';
import { checkHook } from './webhook.ts';

const OLDEST = 14;
const NEWEST = 18;

/**
 * Everything about Postgres, and whether it has room for what the workspace has. Opens it without
 * migrating: that it does is what we check.
 */
export async function checkDatabase(
  config: Config,
  options: DoctorOptions,
  remote: ToldWorkspace,
): Promise<readonly Check[]> {
  const name = 'database';
  let stop = async () => {};
  try {
    let url = config.database?.url;
    if (url === undefined) {
      const embedded = await startEmbeddedPostgres({ dir: EMBEDDED_FOLDER });
      url = embedded.url;
      stop = embedded.stop;
    }
    const db = openDatabase({
      url,
      schemas: schemasFor(config),
      isPooled: isPooled(config),
      applicationName: 'clarify-sync doctor',
      log: options.log,
    });
    const stopServer = stop;
    stop = async () => {
      await db.close();
      await stopServer();
    };
    const server = await readServerFacts(db);
    const where = config.database === null ? 'embedded' : 'reachable';
    const detail = `${where}, database ${server.database} as ${server.user}`;
    return [
      { name, state: 'ok', detail, hint: null },
      checkVersion(server),
      checkDatabaseClock(server),
      await looking('settings', () => checkSettings(db)),
      ...(await checkSchema(db, config, { ...remote, adopt: options.adopt })),
    ];
  } catch (error) {
    return [failed(name, error)];
  } finally {
    await stop();
  }
}

async function looking(name: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    return failed(name, error);
  }
}

function checkVersion({ majorVersion, version }: ServerFacts): Check {
  const name = 'postgres version';
  if (majorVersion >= OLDEST && majorVersion <= NEWEST) return { name, ...ok(version) };
  return majorVersion < OLDEST
    ? { name, state: 'fail', detail: version, hint: `PostgreSQL ${OLDEST} or newer is needed` }
    : { name, state: 'warn', detail: version, hint: `tested up to PostgreSQL ${NEWEST}` };
}

/** Beyond this a clock is off. Whose edit is newer is told all the same: the offset is known. */
export const MOST_SKEW_MS = 2_000;

function checkDatabaseClock({ nowMs }: ServerFacts): Check {
  const skewMs = Math.round(nowMs - Date.now());
  return describeSkew('database clock', skewMs, 'keep the clocks in step, with NTP for instance');
}

export function describeSkew(name: string, skewMs: number, hint: string): Check {
  const seconds = (Math.abs(skewMs) / 1_000).toFixed(1);
  const detail = `${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} ours`;
  return Math.abs(skewMs) <= MOST_SKEW_MS
    ? { name, ...ok(detail) }
    : { name, state: 'warn', detail, hint };
}

/** Settings of others: most of them we replace by our own, and of the rest we can only tell. */
async function checkSettings(db: Database): Promise<Finding> {
  const { replaced, unseen, zone } = await readSettingFacts(db);
  if (unseen.length > 0) {
    const detail = 'session_replication_role=replica lets writes go past the triggers, unseen';
    return { state: 'fail', detail, hint: `as an administrator: ${unseen.join('; ')}` };
  }
  const told = [
    ...(replaced.length === 0
      ? []
      : [`${replaced.join(', ')} of role or database are replaced by our own`]),
    ...(zone === null ? [] : [`sessions begin in the zone ${zone}`]),
  ];
  const detail = told.length === 0 ? 'nothing unusual' : told.join('; ');
  // Nothing of ours hangs on it.
  const hint =
    "some tools misread instants there: docs/readers.md, or SET timezone = 'UTC' for their role";
  return { state: 'ok', detail, hint: zone === null ? null : hint };
}

type ToldObjects = Pick<ToldWorkspace, 'schemas' | 'undescribed'>;

interface Wanted extends ToldWorkspace {
  readonly adopt: boolean;
}

async function checkSchema(
  db: Database,
  config: Config,
  { adopt: adopting, workspace, hooks, ...told }: Wanted,
): Promise<readonly Check[]> {
  const rights = await looking('rights', async () => {
    const missing = await readMissingRights(db);
    if (missing.length === 0) return ok('may create schemas, tables and triggers');
    const detail = `${missing.length} missing`;
    return { state: 'fail', detail, hint: `as an administrator: ${missing.join('; ')}` };
  });
  const version = { applied: 0, isCurrent: false };
  const migrations = await looking('migrations', async () => {
    const { applied, total } = await controlVersion(db);
    Object.assign(version, { applied, isCurrent: applied === total });
    const detail = `${applied} of ${total} applied`;
    const hint = 'run `clarify-sync migrate`; every sync does so as well';
    return applied === total ? ok(detail) : { state: 'warn', detail, hint };
  });
  if (version.applied === 0) return [rights, migrations];
  return [
    rights,
    migrations,
    ...(adopting ? [await looking('adoption', () => adopt(db))] : []),
    await looking('installation', () => checkInstallation(db, config, workspace)),
    ...(version.isCurrent ? [await looking('rows', () => checkRows(db, config.crm.title))] : []),
    ...(version.isCurrent ? await checkDeclared(db, config) : []),
    ...(version.isCurrent ? await checkTables(db, config, told) : []),
    ...(version.isCurrent ? await checkWebhook(db, config, hooks) : []),
  ];
}

async function checkWebhook(
  db: Database,
  config: Config,
  hooks: ToldWorkspace['hooks'],
): Promise<readonly Check[]> {
  const finding = await checkHook(db, config, hooks);
  return finding === null ? [] : [{ name: 'webhook', ...finding }];
}

/** What stands: our tables, and what others built onto them. */
async function checkTables(
  db: Database,
  config: Config,
  told: ToldObjects,
): Promise<readonly Check[]> {
  const checks = [
    await looking('triggers', () => checkTriggers(db)),
    await looking('grants', () => checkGrants(db, config)),
    await looking('trouble', () => checkTrouble(db)),
    await looking('objects', () => checkObjects(db, config, told)),
    await looking('publication', () => checkPublication(db, config)),
  ];
  for (const { name, look } of DEPENDANT_CHECKS) checks.push(await looking(name, () => look(db)));
  return checks;
}

async function adopt(db: Database): Promise<Finding> {
  const parked = await adoptDatabase(db);
  if (parked === 0) return ok('this database pushes as an installation of its own');
  return {
    state: 'warn',
    detail: `adopted; ${parked} unfinished changes are parked`,
    hint: 'see `clarify-sync outbox list --state parked`: the original may have sent them',
  };
}

async function checkInstallation(
  db: Database,
  { crm }: Config,
  told: string | null,
): Promise<Finding> {
  const facts = await readInstallationFacts(db);
  if (facts === null) return ok('none yet: the first sync makes it');
  const { workspace, push } = facts;
  await refuseOthers(db, { crm: crm.name, workspace: told });
  // With what stands already, so that looking changes nothing.
  const { adopted } = await ensureInstallation(db, { workspace, push });
  if (adopted) return ok(`mirrors the workspace ${workspace}`);
  return {
    state: 'fail',
    detail: 'this database is a copy of another installation: nothing is sent from it',
    hint: 'to push from this one, run `clarify-sync doctor --adopt`',
  };
}

async function checkTriggers(db: Database): Promise<Finding> {
  const { tables, missing, disabled, dropped } = await readTriggerFacts(db);
  const hint = 'run `clarify-sync sync`, which puts them back';
  if (missing.length > 0) return { state: 'fail', detail: `missing: ${missing.join(', ')}`, hint };
  if (disabled.length > 0) {
    const detail = `${disabled.length} switched off: local changes go unnoticed`;
    return { state: 'fail', detail, hint: `as the owner: ${disabled.join('; ')}` };
  }
  if (dropped.length > 0) {
    return { state: 'fail', detail: `tables were dropped: ${dropped.join(', ')}`, hint };
  }
  return ok(tables === 0 ? 'no mirror tables yet' : `on all of ${tables} mirror tables`);
}

/** Enough to see what it is about. */
const MOST_STEPS = 5;

/**
 * Whether every object can have its table, and every table that stands is what was made: with its
 * columns, key, defaults. Where the CRM does not tell, by what it said last.
 */
async function checkObjects(
  db: Database,
  config: Config,
  { schemas: discovered, undescribed }: ToldObjects,
): Promise<Finding> {
  const schemas = discovered === null ? await readObjects(db) : mirroredOf(config, discovered);
  const { steps, problems: all } = await previewWorkspace(db, config, { schemas, undescribed });
  // What is not described is told by itself.
  const problems = all.filter(({ object }) => !undescribed.has(object));
  const [first] = problems;
  if (first !== undefined) {
    const detail = problems.map(({ code, message }) => `[${code}] ${message}`).join('; ');
    return { state: 'fail', detail, hint: hintOf(first.error) };
  }
  const met = await metProblems(db, undescribed);
  if (met !== null) return met;
  const { links } = await loadMirror(db);
  const standing = new Set([...(await readMirrors(db)).keys(), ...links.map(({ name }) => name)]);
  // Indexes are made by themselves, some time after the first read that they would slow down.
  const due = steps.filter(
    ({ object, sql }) => standing.has(object) && !sql.startsWith('CREATE INDEX'),
  );
  if (due.length === 0) return ok(`nothing is in the way of ${schemas.length} objects`);
  const named = due.slice(0, MOST_STEPS).map(({ description }) => description);
  if (due.length > MOST_STEPS) named.push(`and ${due.length - MOST_STEPS} more`);
  const detail = `tables are not as the workspace has them: ${named.join('; ')}`;
  return { state: 'warn', detail, hint: 'run `clarify-sync sync`, or wait for the service' };
}

/** What no plan tells, for Postgres said it when the statements were run: rights, limits, what a user made. */
async function metProblems(
  db: Database,
  undescribed: ToldObjects['undescribed'],
): Promise<Finding | null> {
  const met = (await readMirrorProblems(db)).filter(
    // A lock is waited for again; what is still to be done is told.
    ({ object, code }) => !undescribed.has(object) && code !== 'schema-lock-timeout',
  );
  if (met.length === 0) return null;
  const detail = met.map(({ code, message }) => `[${code}] ${message}`).join('; ');
  const hint = met.find((one) => one.hint !== null)?.hint;
  return { state: 'fail', detail, hint: hint ?? 'run `clarify-sync sync`, which tries again' };
}

/** What the service has met and goes on trying; it says the rest of it by itself. */
async function checkTrouble(db: Database): Promise<Finding> {
  const troubles = await readTroubles(db);
  if (troubles.length === 0) return ok('every object is read and sent');
  const detail = troubles
    .map(({ object, part, code, message }) => `${object} (${part}): [${code}] ${message}`)
    .join('; ');
  const hint = troubles.find((one) => one.hint !== null)?.hint ?? null;
  return { state: 'warn', detail, hint };
}
