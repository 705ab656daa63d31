import pg from 'pg';
import { renderSql, type Schemas } from '../control/schemas.ts';
import type { Sql } from './database.ts';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/** What a workspace hears; each is told of the payload. */
export interface Heard {
  /** What the triggers tell: something was committed to the outbox. */
  readonly outbox?: (object: string) => void;
  /** What a daemon that stands by passes on: there is something to pull. */
  readonly nudge?: (object: string) => void;
  /** What whoever is called by the CRM tells, or doubts what it showed: records are to be read again. */
  readonly hint?: () => void;
  /** What could not be written because somebody held its row is to be tried again. */
  readonly aside?: (object: string) => void;
  /** What was put aside before, and could not be written once more. */
  readonly held?: (object: string) => void;
  /** What a process of a fleet tells: a lease is free. */
  readonly lease?: () => void;
}

function channelOf(what: keyof Heard, schemas: Schemas): string {
  return renderSql(`{sync}_${what}`, schemas);
}

/** By channel. */
type Channels = Readonly<Record<string, (payload: string) => void>>;

/**
 * Hears of what happens in the database the moment it does, for all workspaces in it. A hint and
 * never the truth: whoever listens polls as well, so that a lost connection costs time and nothing
 * else. Connects where there is something to hear. Start and stop are safe in any order and any
 * number of times.
 */
export class Listener {
  readonly #url: string;
  readonly #heard = new Set<Channels>();
  readonly #wakers = new WeakMap<Channels, () => void>();
  #client: pg.Client | null = null;
  /** Statements on the connection, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #running = false;

  /** @param url a connection that is not behind a transaction pooler. */
  constructor(url: string) {
    this.#url = url;
  }

  /** For one workspace. @returns what ends it. */
  add(schemas: Schemas, { outbox, nudge, hint, aside, held, lease }: Heard): () => void {
    const channels: Channels = {
      ...(outbox && { [channelOf('outbox', schemas)]: outbox }),
      ...(nudge && { [channelOf('nudge', schemas)]: nudge }),
      ...(hint && { [channelOf('hint', schemas)]: hint }),
      ...(aside && { [channelOf('aside', schemas)]: aside }),
      ...(held && { [channelOf('held', schemas)]: held }),
      ...(lease && { [channelOf('lease', schemas)]: lease }),
    };
    if (Object.keys(channels).length === 0) return () => {};
    this.#wakers.set(channels, () => {
      outbox?.('');
      hint?.();
    });
    this.#heard.add(channels);
    if (this.#client === null && this.#timer === undefined && this.#running) void this.#connect();
    else this.#hear(channels);
    return () => {
      if (!this.#heard.delete(channels)) return;
      const others = new Set([...this.#heard].flatMap((one) => Object.keys(one)));
      const gone = Object.entries(channels).filter(([channel]) => !others.has(channel));
      this.#say('UNLISTEN', Object.fromEntries(gone));
    };
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    if (this.#heard.size > 0) await this.#connect();
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'clarify-sync listen',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
    });
    // Without a handler the loss of an idle connection would end the process.
    client.on('error', () => this.#reconnect(client));
    client.on('end', () => this.#reconnect(client));
    client.on('notification', ({ channel, payload }) => {
      for (const channels of this.#heard) channels[channel]?.(payload ?? '');
    });
    this.#client = client;
    this.#timer = undefined;
    const connected = (async () => {
      await client.connect();
      // It has nothing to say for hours, and would be ended for that.
      await client.query('SET idle_session_timeout = 0');
    })();
    this.#turn = connected;
    try {
      await connected;
      this.#retryMs = FIRST_RETRY_MS;
      for (const channels of this.#heard) this.#hear(channels);
    } catch {
      this.#reconnect(client);
    }
  }

  #hear(channels: Channels): void {
    // What was committed while nobody listened.
    this.#say('LISTEN', channels, this.#wakers.get(channels));
  }

  #say(what: 'LISTEN' | 'UNLISTEN', channels: Channels, then?: () => void): void {
    const client = this.#client;
    const statements = Object.keys(channels).map((channel) => `${what} ${channel}`);
    if (client === null || statements.length === 0) return;
    const before = this.#turn;
    const turn = async () => {
      await before;
      await client.query(statements.join('; '));
      then?.();
    };
    this.#turn = turn();
    this.#turn.catch(() => this.#reconnect(client));
  }

  #reconnect(lost: pg.Client): void {
    if (!this.#running || this.#client !== lost) return;
    this.#client = null;
    lost.end().catch(() => undefined);
    this.#timer = setTimeout(() => void this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }
}

/** Tells every listener of a channel. Needs no session of its own, so that a pooler may stand between. */
export async function notify(sql: Sql, what: keyof Heard, payload: string): Promise<void> {
  await sql.query('SELECT pg_notify($1, $2)', [channelOf(what, sql.schemas), payload]);
}
