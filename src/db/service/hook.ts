import type { Sql } from '../connection/database.ts';

/** The address that the CRM calls, as it stands on record. */
export interface Hook {
  /** Null once it was taken away, with what follows. */
  readonly hookId: string | null;
  readonly targetUrl: string | null;
  readonly secret: string | null;
  readonly state: 'active' | 'degraded' | 'inactive' | 'forgotten';
  /** Mirrored objects by the name that calls have for them. */
  readonly objects: Readonly<Record<string, string>>;
  /** ISO-8601 UTC: when it was made, or taken away. */
  readonly madeAt: string;
}

/** Null where there never was one. Whoever receives calls reads this row alone. */
export async function readHook(sql: Sql): Promise<Hook | null> {
  const [row] = await sql.query<Hook & Record<string, unknown>>(
    `SELECT hook_id AS "hookId", target_url AS "targetUrl", secret, state, objects,
            made_at AS "madeAt" FROM {sync}.hook`,
  );
  return row ?? null;
}

/**
 * Puts one that was just made in the place of whatever stood. Its objects come with its secret: a call that
 * proves to be the CRM's and is about none of them is answered, and never repeated. Repeatable.
 */
export async function storeHook(
  sql: Sql,
  made: {
    readonly hookId: string;
    readonly targetUrl: string;
    readonly secret: string;
    readonly objects: ReadonlyMap<string, string>;
  },
): Promise<void> {
  await sql.query(
    `INSERT INTO {sync}.hook AS h (hook_id, target_url, secret, state, objects)
     VALUES ($1, $2, $3, 'active', $4::jsonb)
         ON CONFLICT ("only") DO UPDATE
        SET hook_id = excluded.hook_id, target_url = excluded.target_url, secret = excluded.secret,
            state = 'active', objects = excluded.objects,
            made_at = clock_timestamp(), checked_at = clock_timestamp()`,
    [made.hookId, made.targetUrl, made.secret, JSON.stringify(Object.fromEntries(made.objects))],
  );
}

/** Notes how it stands in the CRM. */
export async function checkedHook(
  sql: Sql,
  state: Exclude<Hook['state'], 'forgotten'>,
): Promise<void> {
  await sql.query(
    `UPDATE {sync}.hook SET state = $1, checked_at = clock_timestamp() WHERE state <> 'forgotten'`,
    [state],
  );
}

/** Which objects calls are taken for. */
export async function storeHookObjects(
  sql: Sql,
  objects: ReadonlyMap<string, string>,
): Promise<void> {
  const wanted = JSON.stringify(Object.fromEntries(objects));
  await sql.query(
    'UPDATE {sync}.hook SET objects = $1::jsonb WHERE objects IS DISTINCT FROM $1::jsonb',
    [wanted],
  );
}

/** It was taken away on purpose: who leads already does not make another. */
export async function forgetHook(sql: Sql): Promise<void> {
  await sql.query(
    `INSERT INTO {sync}.hook AS h (state) VALUES ('forgotten')
         ON CONFLICT ("only") DO UPDATE
        SET hook_id = NULL, target_url = NULL, secret = NULL, state = 'forgotten', objects = '{}',
            made_at = clock_timestamp(), checked_at = clock_timestamp()`,
  );
}
