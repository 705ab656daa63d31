import pg from 'pg';
import { classifyDatabaseError } from './database-error.ts';
import { valueTypes } from './database-types.ts';
import {
  ORDINARY,
  READ_SESSION,
  type SessionAnswer,
  type SessionState,
  toSessionState,
} from './session-settings.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Connections, and what was found out of each when it was made. */
export interface ConnectionPool {
  /** @throws SyncError that says why there is none. */
  connect(): Promise<pg.PoolClient>;
  stateOf(client: pg.ClientBase): SessionState;
  end(): Promise<void>;
}

/** Opens no connection by itself. */
export function openPool(
  options: {
    readonly url: string;
    readonly applicationName: string;
    readonly log?: { warn(fields: object, message: string): void };
    readonly clockSchema?: string;
  },
  max: number,
): ConnectionPool {
  const { url, applicationName, log, clockSchema } = options;
  const states = new WeakMap<pg.ClientBase, SessionState>();
  const learnState = async (client: pg.ClientBase): Promise<void> => {
    const question = { text: READ_SESSION, query_timeout: CONNECT_TIMEOUT_MS };
    const { rows } = await client.query<SessionAnswer>(question);
    states.set(client, toSessionState(rows[0], clockSchema));
  };
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max,
    types: valueTypes,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // Longer than a minute: what is done by the minute finds one open. A new one takes some 10 ms of both ends.
    idleTimeoutMillis: 90_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // Waited for, which its type does not say.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: learnState,
  });
  pool.on('error', (error: unknown) =>
    log?.warn({ err: classifyDatabaseError(error) }, 'a connection to Postgres broke'),
  );
  // A client in use tells its user through the query; without a listener it would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    async connect() {
      try {
        return await pool.connect();
      } catch (error) {
        throw classifyDatabaseError(error, { connecting: true });
      }
    },
    stateOf: (client) => states.get(client) ?? ORDINARY,
    end: () => pool.end(),
  };
}
