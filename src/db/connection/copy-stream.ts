import type { Writable } from 'node:stream';
import type pg from 'pg';
import { from } from 'pg-copy-streams';

/** A stream into `copy … from stdin`, as a query of `client`. */
export function copyStream(
  client: pg.ClientBase,
  statement: string,
): Writable & { readonly rowCount: number } {
  return client.query(from(statement));
}
