import { quoteLiteral } from '../domain/names.ts';
import type { Database } from './connection/database.ts';
import { type SchemaState, schemaState } from './mirror/schema-state.ts';
import { type DueWork, dueWork } from './outbox/due.ts';
import { UNSENT } from './side/comments.ts';

/** What a leader looks at every two seconds. */
export interface Look {
  /** Of the mirror tables, before anything else is done. */
  readonly schema: SchemaState;
  /** See `readDueWork`. */
  readonly due: readonly DueWork[];
  /** Whether comments that were written here wait to be sent. */
  readonly comments: boolean;
}

type LookRow = SchemaState & { readonly comments: boolean } & {
  readonly [Name in keyof DueWork]: DueWork[Name] | null;
};

/**
 * All of it by one statement, for where nothing happens it is most of what a service does. Names are
 * written out: with parameters Postgres would plan it each time, which takes longer than to run it. No lock.
 */
export async function readLook(db: Database, objects: readonly string[]): Promise<Look> {
  const schema = quoteLiteral(db.schemas.mirror);
  const names = `ARRAY[${objects.map(quoteLiteral).join(', ')}]`;
  const rows = await db.repeated<LookRow & Record<string, unknown>>(
    `SELECT standing.*, object, records, creates, links, "inFlight"
       FROM (SELECT ${schemaState(schema)}, EXISTS (SELECT FROM ${UNSENT}) AS comments) AS standing
       LEFT JOIN ${dueWork(names)} ON true ORDER BY n`,
  );
  const due = rows.flatMap(({ object, records, creates, links, inFlight }) =>
    object === null
      ? []
      : [
          {
            object,
            records: records === true,
            creates: creates === true,
            links: links === true,
            inFlight: inFlight === true,
          },
        ],
  );
  const { version = '', shape = '', comments = false } = rows[0] ?? {};
  return { schema: { version, shape }, due, comments };
}
