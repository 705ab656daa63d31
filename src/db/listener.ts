import pg from 'pg';
import type { Sql } from './database.ts';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/** By channel; told of each notification's payload. */
export type Channels = Readonly<Record<string, (payload: string) => void>>;

/** Where the triggers tell of what was committed to the outbox. */
export const OUTBOX_CHANNEL = 'clarify_sync_outbox';
/** Where a daemon that stands by passes on that there is something to pull. */
export const NUDGE_CHANNEL = 'clarify_sync_nudge';

/**
 * Hears of what happens in the database the moment it does. A hint and never the truth: whoever
 * listens polls as well, so that a lost connection costs time and nothing else. Start and stop
 * are safe in any order and any number of times.
 */
export class Listener {
  readonly #url: string;
  readonly #channels: Channels;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #running = false;

  /** @param url a connection that is not behind a transaction pooler. */
  constructor(url: string, channels: Channels) {
    this.#url = url;
    this.#channels = channels;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
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
    client.on('notification', ({ channel, payload }) => this.#channels[channel]?.(payload ?? ''));
    this.#client = client;
    try {
      await client.connect();
      // It has nothing to say for hours, and would be ended for that.
      await client.query('SET idle_session_timeout = 0');
      for (const channel of Object.keys(this.#channels)) await client.query(`LISTEN ${channel}`);
      this.#retryMs = FIRST_RETRY_MS;
      // What was committed while nobody listened.
      this.#channels[OUTBOX_CHANNEL]?.('');
    } catch {
      this.#reconnect(client);
    }
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
export async function notify(sql: Sql, channel: string, payload: string): Promise<void> {
  await sql.query('SELECT pg_notify($1, $2)', [channel, payload]);
}
