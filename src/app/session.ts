import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createLinkRefusals } from '../conflicts/link-pages.ts';
import { createReadingCosts } from '../conflicts/reading-costs.ts';
import { createTurns } from '../conflicts/turns.ts';
import type { OpenRemote } from '../crm/adapter.ts';
import { systemClock } from '../crm/wire/clock.ts';
import type { SpareBuffers } from '../crm/wire/spare-buffers.ts';
import { type Dependant, readStaleViews } from '../db/access/dependants.ts';
import type { Database } from '../db/connection/database.ts';
import { applyMirror, type MirrorChange } from '../db/mirror/apply.ts';
import { readObjects } from '../db/mirror/catalog.ts';
import type { LinkTable } from '../db/mirror/links.ts';
import type { MirrorProblem } from '../db/mirror/problem.ts';
import { readMirrorProblems } from '../db/mirror/problem-record.ts';
import type { SchemaState } from '../db/mirror/schema-state.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readInstallationFacts, readUnseen } from '../db/service/health.ts';
import { ensureInstallation, type Installation } from '../db/service/installation.ts';
import { SyncError } from '../domain/errors.ts';
import type { Remote } from '../domain/remote.ts';
import type { Traffic } from '../domain/traffic.ts';
import type { PullDeps } from '../pull/pull-object.ts';
import { type Config, type ObjectSettings, objectSettings, unknownNames } from './config/config.ts';
import { followingDatabase, type SchemaDrift, watchSchema } from './daemon/schema-watch.ts';
import { createGrantRights, createPublish } from './keep-beside.ts';
import type { Logger } from './log.ts';
import { type OpenDatabase, openDatabaseOnly } from './open-database.ts';
import { openRemote } from './open-remote.ts';
import { tellProblems } from './tell-problems.ts';
import { createTroubles, type Troubles } from './trouble.ts';
import { undescribedOf } from './workspace-schema.ts';

/** Everything a command works with. */
export interface Session extends OpenDatabase, PullDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly remote: Remote;
  /** What is asked of the CRM, for whoever measures. */
  readonly traffic: Pick<Traffic, 'stats' | 'watch' | 'budgets'>;
  /** Names this process to the others. */
  readonly holder: string;
  readonly installation: Installation;
  /** In the order in which records have to be created. */
  readonly tables: readonly MirrorTable[];
  /** Tables that the last schema check could not bring up to the workspace, and why. */
  readonly problems: readonly MirrorProblem[];
  /** Which objects do not work, and when each is tried again. */
  readonly troubles: Troubles;
  settings(object: string): ObjectSettings;
  /** Brings the rights of roles to what the configuration says; after every new table. */
  grantRights(): Promise<void>;
  /**
   * Takes over what another process has changed of the mirror tables, and checks them where
   * somebody else has, which is looked at unless that was done within `withinMs` (default 0).
   * @returns whether anybody has.
   */
  followSchema(withinMs?: number): Promise<boolean>;
  /** Likewise, by what was just seen of them. */
  takeSchema(state: SchemaState): Promise<boolean>;
  /**
   * Reads the workspace's schema again and brings the mirror tables up to it, unless that was done
   * within `withinMs` (default 0).
   */
  refreshSchema(signal: AbortSignal, withinMs?: number): Promise<MirrorChange>;
}

interface SessionDeps {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Those of the process, where it has several sessions. */
  readonly buffers?: SpareBuffers;
}

interface OpenOptions {
  /** Where the CRM does not tell its schema for now, goes on with the one on record. */
  readonly outlasts?: boolean;
  /** Names this process to the others; default a name of its own. */
  readonly holder?: string;
  /** Opens the database, migrated for a workspace; default {@link openDatabaseOnly}. */
  readonly open?: (workspace: string | null) => Promise<OpenDatabase>;
  /** Where many are opened: does in turn what the CRM is not waited for in; default at once. */
  readonly inTurn?: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Tables with a problem are looked at this often while anything is read or sent. */
const PROBLEM_CHECK_MS = 30_000;

/**
 * Opens database and CRM, in this order, and brings the mirror tables up to the workspace's
 * schema. What was opened is closed again where a later step fails.
 */
export async function openSession(
  config: Config,
  deps: SessionDeps,
  options: OpenOptions = {},
): Promise<Session> {
  const { outlasts = false, holder = nameProcess(), inTurn = (work) => work() } = options;
  const remote = await openRemote(config, deps.log, deps);
  try {
    // Before anything is made: a wrong key or slug must leave nothing behind.
    const told = await remote
      .discover({ priority: 'pull', signal: deps.signal })
      .catch((error: unknown) => {
        const passes = error instanceof SyncError && error.disposition === 'retry';
        if (!outlasts || !passes || deps.signal.aborted) throw error;
        return error;
      });
    return await inTurn(async () => {
      const { workspace } = remote;
      const open = await (options.open?.(workspace) ?? openDatabaseOnly(config, deps, workspace));
      try {
        const discovered =
          told instanceof SyncError
            ? await schemaOnRecord(open.db, told, { log: deps.log, title: remote.title })
            : told;
        const isTold = discovered === told;
        return await assemble(config, deps, { open, remote, discovered, isTold, holder });
      } catch (error) {
        await open.stop();
        throw error;
      }
    });
  } catch (error) {
    await remote.stop();
    throw error;
  }
}

/** Unlike any other, also on another machine and after a restart. */
export function nameProcess(): string {
  return `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
}

/** @throws what kept the CRM from telling, where nothing was ever mirrored. */
async function schemaOnRecord(
  db: Database,
  cause: SyncError,
  { log, title }: { readonly log: Logger; readonly title: string },
): Promise<Discovered> {
  const objects = await readObjects(db);
  if (objects.length === 0) throw cause;
  const { code, message } = cause;
  log.warn({ code }, `the schema is the one on record until ${title} tells it again: ${message}`);
  return objects;
}

type Discovered = Awaited<ReturnType<Remote['discover']>>;

/**
 * The workspace's schema as another process has just put it on record: it has asked later than
 * this one. Objects that could not be mirrored are not on record.
 */
async function followed(db: Database, known: Discovered): Promise<Discovered> {
  const recorded = await readObjects(db);
  const names = new Set(recorded.map(({ object }) => object));
  const problems = new Set((await readMirrorProblems(db)).map(({ object }) => object));
  return [...recorded, ...known.filter(({ object }) => !names.has(object) && problems.has(object))];
}

async function assemble(
  config: Config,
  deps: SessionDeps,
  opened: {
    readonly open: OpenDatabase;
    readonly remote: OpenRemote;
    readonly discovered: Discovered;
    /** By the CRM, just now. */
    readonly isTold: boolean;
    readonly holder: string;
  },
): Promise<Session> {
  const { open, remote, holder } = opened;
  const { db } = open;
  // One that is not reached tells nothing, and is the one on record.
  const workspace = remote.workspace ?? (await readInstallationFacts(db))?.workspace ?? '';
  const installation = await ensureInstallation(db, {
    crm: config.crm.name,
    workspace,
    push: config.push,
  });
  const settings = (object: string) => objectSettings(config, object);
  const grantRights = createGrantRights(db, { grants: config.grants, log: deps.log });
  const publish = createPublish(db, { publication: config.publication, log: deps.log });
  const mirrored = async (discovered: Discovered) => {
    const wanted = discovered
      .filter(({ object }) => settings(object).included)
      .map((schema) => {
        const { push, key } = settings(schema.object);
        const identity = key ?? schema.identity;
        const readOnly = schema.readOnly ?? (push ? null : 'push is off for it');
        return { ...schema, identity, readOnly };
      });
    const deletePolicies = new Map(wanted.map(({ object }) => [object, settings(object).delete]));
    const undescribed = undescribedOf(config, remote);
    const objects = [...wanted.map(({ object }) => object), ...undescribed.keys()];
    const history = new Set(objects.filter((object) => settings(object).history));
    const applied = await applyMirror(db, wanted, { deletePolicies, history, undescribed });
    await grantRights();
    await publish();
    return applied;
  };
  let { discovered } = opened;
  const watch = watchSchema(db);
  let applied = await watch.around(() => mirrored(discovered));
  let checkedAtMs = performance.now();
  let askedAtMs = opened.isTold ? checkedAtMs : Number.NEGATIVE_INFINITY;
  const check = async () => {
    const before = applied;
    applied = await watch.around(() => mirrored(discovered));
    tellChange(deps.log, before, applied);
    if (applied.steps.length > 0) tellStaleViews(deps.log, await readStaleViews(db));
    checkedAtMs = performance.now();
  };
  let checking: Promise<void> | null = null;
  const checkOnce = async () => {
    checking ??= check().finally(() => {
      checking = null;
    });
    await checking;
  };
  const act = async (drift: SchemaDrift) => {
    if (drift === 'followed') discovered = await followed(db, discovered);
    // The cause of a problem may be gone, and nothing in the catalog shows it.
    const isDue = applied.problems.length > 0 && performance.now() - checkedAtMs > PROBLEM_CHECK_MS;
    if (drift === 'touched' || isDue) await checkOnce();
    return drift !== 'none';
  };
  const followSchema = async (withinMs = 0) => await act(await watch.follow(withinMs));
  for (const setting of unknownNames(config, opened.discovered, remote.undescribed)) {
    deps.log.warn({ setting }, 'the workspace has nothing of this name');
  }
  for (const statement of await readUnseen(db)) {
    deps.log.warn({ hint: statement }, 'a setting lets local writes go past the triggers, unseen');
  }
  tellProblems(deps.log, { problems: [] }, applied);
  const troubles = await createTroubles({ db, log: deps.log });
  // What is left alone is said to be that, and no more to be tried again.
  await troubles.keepOnly(watch.mirror.tables.map(({ object }) => object));
  return {
    ...open,
    db: followingDatabase(db, followSchema),
    config,
    log: deps.log,
    remote,
    traffic: remote,
    holder,
    installation,
    settings,
    get problems() {
      return applied.problems;
    },
    get tables() {
      return watch.mirror.tables;
    },
    get links(): readonly LinkTable[] {
      return watch.mirror.links;
    },
    linkRefusals: createLinkRefusals((field) =>
      deps.log.warn(
        field,
        `${remote.title} does not list these links: their table is not kept up to date`,
      ),
    ),
    turns: createTurns(),
    readingCosts: createReadingCosts(),
    troubles,
    policyOf: (object, field) => settings(object).conflictsOf(field),
    nowMs: systemClock.monotonicMs,
    grantRights,
    followSchema,
    takeSchema: async (state) => await act(await watch.take(state)),
    async refreshSchema(signal, withinMs = 0) {
      if (performance.now() - askedAtMs < withinMs) return applied;
      discovered = await remote.discover({ priority: 'pull', signal });
      await checkOnce();
      askedAtMs = performance.now();
      return applied;
    },
    async stop() {
      await remote.stop();
      await open.stop();
    },
  };
}

function tellStaleViews(log: Logger, views: readonly Dependant[]): void {
  if (views.length === 0) return;
  const names = views.map(({ what }) => what);
  log.warn({ views: names }, 'views still read columns that were put aside');
}

function tellChange(log: Logger, before: MirrorChange, now: MirrorChange): void {
  tellProblems(log, before, now);
  // Indexes come by themselves once an object was read, and change nothing that anybody sees.
  const steps = now.steps.filter(({ sql }) => !sql.startsWith('CREATE INDEX')).length;
  if (steps > 0) log.info({ steps }, 'mirror tables follow the schema');
}
