import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

/** Waits until no row has an id of its birth any more: somebody pushes meanwhile. */
export async function pushed() {
  const client = new pg.Client(process.env.DATABASE_URL);
  await client.connect();
  for (;;) {
    const { rowCount } = await client.query(
      `select from clarify.task where id like 'local:%'
        union all select from clarify.company where id like 'local:%'`,
    );
    if (rowCount === 0) break;
    await setTimeout(50);
  }
  await client.end();
}
