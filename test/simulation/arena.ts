import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { createClarifyRemote } from '../../src/crm/clarify/remote.ts';
import { openDatabase } from '../../src/db/connection/database.ts';
import { renderSql, TEMPLATE } from '../../src/db/control/schemas.ts';
import { migrateControl } from '../../src/db/migrate.ts';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import type { LinkTable } from '../../src/db/mirror/links.ts';
import { loadMirror } from '../../src/db/mirror/load.ts';
import type { MirrorTable } from '../../src/db/mirror/table.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { dependencyOrder } from '../../src/domain/dependency-order.ts';
import type { Dialect, Switches } from '../../src/emulator/clarify/switches.ts';
import type { RequestEvent } from '../../src/emulator/kernel/stats.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { EXTERNAL_ID } from '../support/job-server.ts';
import { installVirtualTime, startVirtualClock, type VirtualClock } from './virtual-clock.ts';

/** Where histories take place, one after the other: a database with mirror tables and a clock. */
export interface Arena {
  readonly dialect: Dialect;
  readonly url: string;
  readonly tables: readonly MirrorTable[];
  /** `company_watchers` alone. */
  readonly links: readonly LinkTable[];
  /** A connection of our own, no user's and no session's. */
  readonly client: Client;
  /** Empties every table, and puts the clock right. */
  reset(): Promise<VirtualClock>;
  drop(): Promise<void>;
}

export const OBJECTS = ['company', 'person', 'task'] as const;
export type ObjectName = (typeof OBJECTS)[number];

/** Control tables that hold what happened, as against how things are set up. */
const HISTORY = [
  'outbox',
  'conflict',
  'cursor',
  'backfill_range',
  'sweep',
  'deferred',
  'id_map',
  'lease',
  'run',
  'tombstone',
];

const LEFT_OUT = ['deal', 'meeting', 'meeting_recording', 'message', 'c_project'];

/**
 * Three objects that refer to one another, in a circle too. `marker` is written once, at birth,
 * and tells records apart whatever happens to them.
 */
export async function startSmallEmulator(options: {
  readonly dialect: Dialect;
  readonly seed: string;
  readonly clock: () => number;
  readonly switches?: Partial<Switches>;
  readonly onRequest?: (event: RequestEvent) => void;
}): Promise<Emulator> {
  const emulator = await startCheckedEmulator({ ...options, sizes: 'none' });
  const { store } = emulator;
  for (const object of LEFT_OUT) store.removeObject(object);
  for (const object of OBJECTS) {
    store.addField(object, { name: 'marker', form: { kind: 'text' } });
    store.addField(object, { name: EXTERNAL_ID, form: { kind: 'text' } });
  }
  for (const field of ['deals', 'projects', 'meetings']) store.removeField('person', field);
  store.addField('company', {
    name: 'contact_id',
    form: { kind: 'link', relation: 'many-to-one', entity: 'person', field: null },
  });
  const manyToMany = (entity: string, field: string) =>
    ({ kind: 'link', relation: 'many-to-many', entity, field }) as const;
  store.addField('company', { name: 'watchers', form: manyToMany('person', 'watches') });
  store.addField('person', { name: 'watches', form: manyToMany('company', 'watchers') });
  return emulator;
}

async function withAdmin(adminUrl: string, statement: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}

/**
 * @param adminUrl of a role that may create databases.
 * @param prefix begins the database's name.
 */
export async function openArena(
  adminUrl: string,
  dialect: Dialect,
  prefix = 'clarify_sync_sim',
): Promise<Arena> {
  const name = `${prefix}_${randomBytes(5).toString('hex')}`;
  await withAdmin(adminUrl, `create database ${name}`);
  const there = new URL(adminUrl);
  there.pathname = `/${name}`;
  const url = there.href;
  const { tables, links } = await prepare(url, name, dialect);
  const connect = async () => {
    const connected = new Client({ connectionString: url });
    await connected.connect();
    return connected;
  };
  const [client, clockClient] = [await connect(), await connect()];
  const emptied = [
    ...[...tables, ...links].map(({ qualified }) => renderSql(qualified, TEMPLATE)),
    ...tables.map(({ name: table }) => `clarify_history.${table}`),
    ...HISTORY.map((table) => `clarify_sync.${table}`),
  ];
  return {
    dialect,
    url,
    tables,
    links,
    client,
    async reset() {
      await client.query(
        `BEGIN; SELECT set_config('clarify_sync.writer', (SELECT writer_secret FROM clarify_sync.installation), true);
         TRUNCATE ${emptied.join(', ')};
         COMMIT`,
      );
      return await startVirtualClock(clockClient);
    },
    async drop() {
      await client.end();
      await clockClient.end();
      await withAdmin(adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function prepare(
  url: string,
  name: string,
  dialect: Dialect,
): Promise<Pick<Arena, 'tables' | 'links'>> {
  const db = openDatabase({ url, applicationName: 'simulation' });
  const emulator = await startSmallEmulator({ dialect, seed: 'schema', clock: Date.now });
  const remote = createClarifyRemote({
    baseUrl: emulator.url,
    workspace: emulator.workspace,
    apiKey: emulator.apiKey,
    allowancePercent: 100,
  });
  try {
    await migrateControl(db);
    const { signal } = new AbortController();
    const schemas = await remote.discover({ priority: 'pull', signal });
    // Some schemas are listed although they have no records to read.
    const wanted = schemas.filter(({ object }) => OBJECTS.some((known) => known === object));
    await applyMirror(db, wanted, { history: new Set(OBJECTS) });
    await ensureInstallation(db, { workspace: emulator.workspace, push: true });
    const client = new Client({ connectionString: url });
    await client.connect();
    await installVirtualTime(client, name);
    await client.end();
    const { tables, links } = await loadMirror(db);
    const order = dependencyOrder(tables.map(({ schema }) => schema));
    const inOrder = tables.toSorted((a, b) => order.indexOf(a.object) - order.indexOf(b.object));
    return { tables: inOrder, links };
  } finally {
    await remote.stop();
    await emulator.stop();
    await db.close();
  }
}
