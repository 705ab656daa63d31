import type { Config } from '../../src/app/config/config.ts';
import { objectSettings } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import type { Session } from '../../src/app/session.ts';
import { createLinkRefusals } from '../../src/conflicts/link-pages.ts';
import { createReadingCosts } from '../../src/conflicts/reading-costs.ts';
import { createTurns } from '../../src/conflicts/turns.ts';
import { clarify } from '../../src/crm/clarify/adapter.ts';
import { createClarifyRemote } from '../../src/crm/clarify/remote.ts';
import { openDatabase } from '../../src/db/connection/database.ts';
import { isPassing, RemoteError } from '../../src/domain/errors.ts';
import type { ConflictPolicy } from '../../src/domain/policy.ts';
import type { Emulator } from '../../src/emulator/clarify/emulator.ts';
import type { Switches } from '../../src/emulator/clarify/switches.ts';
import { type Arena, startSmallEmulator } from './arena.ts';
import { type Chance, createChance } from './chance.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { createFate, type Fate, type Mutation, mortalDatabase, mortalRemote } from './mortal.ts';
import { openUser, type User } from './user.ts';
import { CLOCK_SCHEMA, type VirtualClock } from './virtual-clock.ts';
import { openWriting, type WritingKind, type WrittenWorld } from './writing.ts';

/** A process that may be killed, and started again under the same name. */
export interface Daemon {
  readonly name: string;
  /** The running one; another one after a death. */
  session(): Promise<Session>;
  readonly fate: Fate;
  close(): Promise<void>;
}

/** Everything a history takes place in. */
export interface World {
  readonly arena: Arena;
  readonly chance: Chance;
  readonly clock: VirtualClock;
  readonly emulator: Emulator;
  readonly ledger: Ledger;
  readonly written: WrittenWorld;
  readonly daemons: readonly Daemon[];
  readonly users: readonly User[];
  readonly switches: Partial<Switches>;
  readonly policy: ConflictPolicy;
  /** What happened, in words, values left out. */
  readonly log: string[];
  /** Requests that wrote, or were to write. */
  writeRequests: number;
  /** Aborts a history that does not end: whatever waits for it comes to nothing. */
  readonly signal: AbortSignal;
  /** Whether a push is under way right now. */
  pushing: number;
  close(): Promise<void>;
}

const KEY = 'demo-key';
const PATIENCE_MS = 5_000;
const IMPATIENCE_MS = 120;
/** In real time, and many times what a history takes on a machine that does nothing else. */
const LONGEST_HISTORY_MS = 120_000;

export interface WorldOptions {
  readonly seed: string;
  readonly switches: Partial<Switches>;
  readonly policy: ConflictPolicy;
  readonly mutate: Mutation;
  readonly writing?: WritingKind;
}

export async function openWorld(arena: Arena, options: WorldOptions): Promise<World> {
  const { seed, switches, policy, mutate } = options;
  const clock = await arena.reset();
  const chance = createChance(seed);
  const ledger = createLedger();
  const emulator = await startSmallEmulator({
    dialect: arena.dialect,
    seed,
    clock: clock.nowMs,
    switches,
    onRequest: ({ method }) => {
      if (method === 'GET') return;
      world.writeRequests += 1;
      ledger.look(emulator.store);
    },
  });
  const written = openWriting(options.writing ?? 'bulk', {
    chance: createChance(`${seed} jobs`),
    nowMs: clock.nowMs,
    store: () => emulator.store,
    onWrite() {
      world.writeRequests += 1;
      ledger.look(emulator.store);
    },
  });
  const base = { arena, clock, emulator, policy, mutate, written };
  const world: World = {
    arena,
    clock,
    emulator,
    policy,
    chance,
    ledger,
    switches,
    written,
    daemons: ['A', 'B'].map((name) => createDaemon(name, base, createChance(`${seed} ${name}`))),
    users: await Promise.all(['ann', 'bob'].map((name) => openUser(name, arena.url, ledger))),
    log: [],
    signal: AbortSignal.timeout(LONGEST_HISTORY_MS),
    writeRequests: 0,
    pushing: 0,
    async close() {
      for (const user of world.users) await user.close();
      for (const daemon of world.daemons) await daemon.close();
      await emulator.stop();
    },
  };
  return world;
}

type Base = Pick<World, 'arena' | 'clock' | 'emulator' | 'policy' | 'written'> & {
  readonly mutate: Mutation;
};

function createDaemon(name: string, base: Base, chance: Chance): Daemon {
  const closing: Promise<unknown>[] = [];
  let running: { session: Session; fate: Fate } | null = null;
  let lives = 0;
  const current = () => (running?.fate.dead ? null : running);
  return {
    name,
    get fate() {
      return current()?.fate ?? createFate(() => undefined);
    },
    async session() {
      const alive = current();
      if (alive) return alive.session;
      lives += 1;
      running = await startProcess(`${name}${lives}`, base, { chance, closing });
      return running.session;
    },
    async close() {
      running?.fate.disarm();
      await running?.session.stop();
      await Promise.all(closing);
    },
  };
}

/**
 * Everything is tried again at once; what nobody may ever see is not taken for an object's trouble.
 * Nothing here refuses a row.
 */
const untroubled: Session['troubles'] = {
  waitMs: () => 0,
  stands: () => false,
  codeOf: () => null,
  async failed(_part, error) {
    if (!isPassing(error) || error.code === 'table-refuses') throw error;
    return 0;
  },
  worked: async () => {},
  keepOnly: async () => {},
};

async function startProcess(
  holder: string,
  { arena, clock, emulator, policy, mutate, written }: Base,
  { chance, closing }: { readonly chance: Chance; readonly closing: Promise<unknown>[] },
): Promise<{ session: Session; fate: Fate }> {
  const db = openDatabase({
    url: arena.url,
    applicationName: holder,
    max: 6,
    nowMs: clock.nowMs,
    clockSchema: CLOCK_SCHEMA,
  });
  const remote = createClarifyRemote({
    baseUrl: emulator.url,
    workspace: emulator.workspace,
    apiKey: KEY,
    allowancePercent: 100,
    clock: clock.clientClock(chance.next),
  });
  const stop = async () => {
    await remote.stop();
    await db.close();
  };
  const fate = createFate(() => void closing.push(stop()));
  await discover(remote);
  const config = configOf(arena, emulator, policy);
  const settings = (object: string) => objectSettings(config, object);
  const timeoutMs = () =>
    emulator.faults.list().some(({ fault }) => fault.kind === 'timeout')
      ? IMPATIENCE_MS
      : PATIENCE_MS;
  const session: Session = {
    db: mortalDatabase(db, fate, mutate),
    databaseUrl: arena.url,
    embedded: false,
    stop,
    config,
    log: createLog({ level: 'silent' }),
    remote: mortalRemote(written.client(remote), fate, timeoutMs),
    traffic: remote,
    holder,
    installation: { id: 'simulation', workspace: emulator.workspace, adopted: true },
    problems: [],
    tables: arena.tables,
    links: arena.links,
    linkRefusals: createLinkRefusals(() => undefined),
    troubles: untroubled,
    turns: createTurns({ random: () => 1, pause: (ms) => clock.pass(ms) }),
    readingCosts: createReadingCosts(clock.nowMs),
    settings,
    policyOf: (object, field) => settings(object).conflictsOf(field),
    nowMs: clock.nowMs,
    grantRights: async () => {},
    followSchema: async () => false,
    takeSchema: async () => false,
    refreshSchema: () => Promise.reject(new Error('the schema stands still')),
  };
  return { session, fate };
}

/** Reading the schema tells a client how collections look on the wire. */
async function discover(remote: ReturnType<typeof createClarifyRemote>): Promise<void> {
  const { signal } = new AbortController();
  for (;;) {
    try {
      await remote.discover({ priority: 'pull', signal, timeoutMs: 500 });
      return;
    } catch (error) {
      // A daemon that cannot read the schema does not start; whoever runs it tries again.
      if (!(error instanceof RemoteError)) throw error;
    }
  }
}

function configOf(arena: Arena, emulator: Emulator, policy: ConflictPolicy): Config {
  const objects = Object.fromEntries(
    arena.tables.map(({ object }) => [
      object,
      { conflicts: policy, fields: {}, history: false, delete: 'push' as const },
    ]),
  );
  return {
    name: 'clarify',
    crm: clarify,
    settings: { apiKey: KEY, workspace: emulator.workspace, apiUrl: emulator.url },
    names: {},
    access: 'api-key',
    schema: 'clarify',
    database: { url: arena.url, directUrl: arena.url },
    push: true,
    http: null,
    logLevel: 'silent',
    objects,
    exclude: [],
    massDelete: { rows: 1_000, percent: 100 },
    allowance: 100,
    sweepMs: 60_000,
    retention: { outboxMs: null, conflictsMs: null, tombstonesMs: null },
    tables: { settings: false, lists: false, campaigns: [], everyMs: 3_600_000 },
    publication: false,
    grants: { read: [], write: [] },
    unknownVariables: [],
  };
}
