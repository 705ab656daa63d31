import pg from 'pg';
import { asWritten, TEST_SCHEMAS } from './schemas.ts';

/**
 * `TEST_SCHEMA=acme npx vitest run --project pg` runs tests on another schema: what they say to
 * Postgres by connections of their own is written for the default one.
 */
const OURS = /^clarify-sync/;

if (process.env['TEST_SCHEMA']) {
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]) {
    const [first, ...rest] = given;
    const { application_name: name } = Reflect.get(this, 'connectionParameters') as {
      application_name?: string;
    };
    const isTests = typeof first === 'string' && !OURS.test(name ?? '');
    return Reflect.apply(query, this, [isTests ? asWritten(first, TEST_SCHEMAS) : first, ...rest]);
  } as typeof query;
}
