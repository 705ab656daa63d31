import pg from 'pg';

/** Writes as a transaction of the service does that waits before it commits; gives its end. */
export async function lateWrite(
  url: string,
  statement: string,
  values: readonly unknown[],
): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SET LOCAL session_replication_role = replica');
  await client.query(statement, [...values]);
  return async () => {
    await client.query('COMMIT');
    await client.end();
  };
}
