import pg from 'pg';
import { startAndListen } from './process.ts';

/** A workspace of a CRM, and what its mirror is called where many share one database. */
export interface Workspace {
  readonly name: string;
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
}

/** All of them in one process, which is none of what is measured. */
export async function withWorkspaces<T>(
  count: number,
  work: (workspaces: readonly Workspace[]) => Promise<T>,
): Promise<T> {
  const script = ['--import', 'tsx', 'bench/many-workspaces.ts', String(count)];
  const { line, stop } = await startAndListen(script);
  try {
    const workspaces: readonly Workspace[] = JSON.parse(line);
    return await work(workspaces);
  } finally {
    await stop();
  }
}

/** Where a workspace has its rows. */
export interface Place {
  readonly databaseUrl: string;
  /** Of the mirror tables. */
  readonly schema: string;
}

const NAME = 'clarify-sync bench';

/** Connections of the bench itself, told from the program's by their name. */
export function openClient(databaseUrl: string): pg.Client {
  return new pg.Client({ connectionString: databaseUrl, application_name: NAME });
}

/** How many connections others have to a database. */
export async function countOthers(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM pg_stat_activity
      WHERE datname = current_database() AND application_name <> $1 AND backend_type = 'client backend'`,
    [NAME],
  );
  return rows[0]?.count ?? 0;
}
