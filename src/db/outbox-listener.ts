import pg from 'pg';

const CHANNEL = 'clarify_sync_outbox';
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/**
 * Hears of commits to the outbox the moment they happen. A hint and never the truth: whoever
 * listens polls as well, so that a lost connection costs time and nothing else. Start and stop
 * are safe in any order and any number of times.
 */
export class OutboxListener {
  readonly #url: string;
  readonly #onChange: () => void;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #running = false;

  /** @param url a connection that is not behind a transaction pooler. */
  constructor(url: string, onChange: () => void) {
    this.#url = url;
    this.#onChange = onChange;
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
    client.on('notification', () => this.#onChange());
    this.#client = client;
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.#retryMs = FIRST_RETRY_MS;
      // What was committed while nobody listened.
      this.#onChange();
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
