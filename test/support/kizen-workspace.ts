import pg from 'pg';
import { type Config, loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import { type SyncOutcome, syncOnce } from '../../src/app/sync-once.ts';
import { ownView } from '../../src/db/mirror/links.ts';
import {
  type EmulatorOptions,
  type KizenEmulator,
  startKizen,
} from '../../src/emulator/kizen/emulator.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

/** A business of Kizen, from its emulator into Postgres and back, in one process. */
export interface KizenWorkspace {
  readonly emulator: KizenEmulator;
  readonly database: TestDatabase;
  readonly session: Session;
  sync(): Promise<SyncOutcome>;
  /** As a user of the warehouse. */
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** A further session on the same database, as after a restart. */
  reopen(): Promise<Session>;
  /**
   * As if every row had been written a while ago, and what was sent had been: one written just now is
   * missed by no list, and what a list tells of what was just sent is doubted.
   */
  ageRows(): Promise<void>;
  /** Every difference between both sides, in words. */
  differences(): Promise<string[]>;
  stop(): Promise<void>;
}

export const nothingLeft = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };

export async function openKizen(
  options: EmulatorOptions & { readonly config?: Partial<Config> } = {},
): Promise<KizenWorkspace> {
  const { config: changes, ...emulated } = options;
  // Lists are up to date, where a test does not say otherwise.
  const upToDate = { visibilityDelayMs: 0, archiveDelayMs: 0, ...emulated.switches };
  const emulator = await startKizen({ ...emulated, switches: upToDate });
  const database = await createTestDatabase();
  const signal = new AbortController().signal;
  const loaded = await loadConfig({
    env: {
      CLARIFY_SYNC_CRM: 'kizen',
      KIZEN_API_KEY: emulator.apiKey,
      KIZEN_USER_ID: emulator.userId,
      KIZEN_BUSINESS_ID: emulator.businessId,
      KIZEN_API_URL: emulator.url,
      DATABASE_URL: database.url,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: 'off',
    },
  });
  const config: Config = { ...loaded, allowance: 100, ...changes };
  const sessions: Session[] = [];
  const reopen = async (): Promise<Session> => {
    const opened = await openSession(config, { log: createLog({ level: 'silent' }), signal });
    sessions.push(opened);
    return opened;
  };
  const session = await reopen();
  const user = new pg.Client({
    connectionString: database.url,
    options: '-c idle_session_timeout=0',
  });
  await user.connect();
  const sql: KizenWorkspace['sql'] = async (text, values) =>
    (await user.query(text, values && [...values])).rows;
  return {
    emulator,
    database,
    session,
    sync: () => syncOnce(session, { signal }),
    sql,
    reopen,
    async ageRows() {
      for (const { qualified } of session.tables) {
        await session.db.transaction(
          (tx) =>
            tx.query(`UPDATE ${qualified} SET _synced_at = _synced_at - interval '5 minutes'`),
          { asWriter: true },
        );
      }
      await session.db.query(`UPDATE {sync}.outbox SET done_at = done_at - interval '5 minutes'`);
    },
    async differences() {
      const { switches } = emulator;
      const { summaryAbove } = switches;
      try {
        switches.summaryAbove = 1_000_000;
        return await findDifferences(emulator, session, sql);
      } finally {
        switches.summaryAbove = summaryAbove;
      }
    },
    async stop() {
      await user.end();
      for (const each of sessions) await each.stop();
      await database.drop();
      await emulator.stop();
    },
  };
}

interface Told {
  readonly name: string;
  readonly field_type: string;
  readonly value?: unknown;
}

/** Not through our client: it must not share its misreadings. */
async function findDifferences(
  emulator: KizenEmulator,
  session: Session,
  sql: KizenWorkspace['sql'],
): Promise<string[]> {
  const found: string[] = [];
  const { store } = emulator;
  for (const table of session.tables) {
    const rows = await sql(`SELECT id, to_jsonb(t) AS row FROM kizen.${table.name} AS t`);
    const byId = new Map(rows.map(({ id, row }) => [String(id), row as Record<string, unknown>]));
    for (const record of store.all(table.object)) {
      const { id } = record as { id?: string };
      if (id === undefined) continue;
      const told = new Map(Object.values(fieldsOf(record)).map((one) => [one.name, one]));
      const row = byId.get(id);
      byId.delete(id);
      if (row === undefined) {
        found.push(`${table.object} ${id}: missing`);
        continue;
      }
      for (const { field, column } of table.columns) {
        const here = simple(row[column] ?? null);
        const there = simple(shown(told.get(field.name)));
        if (here !== there) found.push(`${table.object} ${id} ${field.name}: ${there} ≠ ${here}`);
      }
    }
    for (const id of byId.keys()) found.push(`${table.object} ${id}: not in Kizen`);
  }
  for (const link of session.links) {
    const view = ownView(link);
    if (view === null) continue;
    const { here, there } = view;
    const rows = await sql(
      `SELECT "${here.column}" AS here, "${there.column}" AS there FROM kizen.${link.name}`,
    );
    const local = new Set(rows.map((row) => `${String(row['here'])} ${String(row['there'])}`));
    for (const record of store.all(here.object)) {
      const fields = Object.values(fieldsOf(record));
      const list = fields.find(({ name }) => name === here.field)?.value ?? [];
      const { id: owner } = record as { id?: string };
      for (const { id } of list as { id: string }[]) {
        // One that is archived has no row to be linked with.
        if (store.get(there.object, id) === null) continue;
        const pair = `${owner} ${id}`;
        if (!local.delete(pair)) found.push(`${link.name} ${pair}: missing`);
      }
    }
    for (const pair of local) found.push(`${link.name} ${pair}: not in Kizen`);
  }
  return found;
}

function shown(told: Told | undefined): unknown {
  let value = told?.value;
  if (told === undefined || value === null || value === undefined) return null;
  if (isPart(value) && Object.keys(value).join() === 'value') ({ value } = value);
  const labels = (list: unknown) => [list].flat().map((one) => (one as { name: string }).name);
  switch (told.field_type) {
    case 'money': {
      const { amount } = value as { amount: unknown };
      return Number(isPart(amount) ? amount['value'] : amount);
    }
    case 'integer':
    case 'decimal':
      return Number(value);
    case 'rating':
      return Number(isPart(value) ? value['code'] : value);
    case 'datetime':
      return Date.parse(String(value));
    case 'dropdown':
    case 'radio':
    case 'status':
    case 'selector':
    case 'yesnomaybe':
      return labels(value)[0];
    case 'checkboxes':
    case 'choices':
    case 'dynamictags':
      return labels(value);
    case 'team_selector':
    case 'relationship':
      return (value as { id: string }).id;
    default:
      return value;
  }
}

function isPart(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An unchecked box is a blank one. */
function simple(value: unknown): string | null {
  if (value === null || value === '' || value === false) return null;
  if (Array.isArray(value) && value.length === 0) return null;
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value))
    return simple(Date.parse(value));
  return JSON.stringify(value, (_key, part: unknown) =>
    isPart(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([x], [y]) => (x < y ? -1 : 1)))
      : part,
  );
}

function fieldsOf(record: object): Record<string, Told> {
  return (record as { fields: Record<string, Told> }).fields;
}
