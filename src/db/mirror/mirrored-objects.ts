import type { Sql } from '../connection/database.ts';

/** Every object that is mirrored or was: what it left in the logs can still be asked for. */
export async function mirroredObjects(sql: Sql): Promise<{ readonly object: string }[]> {
  return await sql.query<{ object: string }>('SELECT object FROM {sync}.mirror ORDER BY object');
}
