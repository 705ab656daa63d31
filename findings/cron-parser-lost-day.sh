#!/bin/sh
# Software: cron-parser 5.10.6 (npm).
# A guess:  "0 */2 * * *" comes every two hours everywhere, give or take the hour that the clocks
#           turn; next() never answers with a time before the one it was asked for.
# In truth: in Greenland the clocks turn late on Saturday evening, and iterating over that week
#           jumps from Friday evening straight to Sunday: 25 hours without a run of "every two
#           hours", 47 hours without "0 22 * * *", though that Saturday has a 22:00. Asked from
#           Saturday itself, the same expression does give it. On Lord Howe Island (half an hour of
#           summer time), next() answers with a time that has passed and then raises "loop limit
#           exceeded".
# Hurt:     schedulers that store next() and ask again from there (BullMQ, pg-boss, many own ones).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent cron-parser@5.10.6
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { CronExpressionParser } from 'cron-parser';

function upcoming(expression, tz, from, count) {
  const walk = CronExpressionParser.parse(expression, { tz, currentDate: new Date(from) });
  const times = Array.from({ length: count }, () => walk.next().toISOString().slice(0, 16));
  console.log(tz, expression, 'from', from, times);
  return times;
}

const two = upcoming('0 */2 * * *', 'America/Nuuk', '2026-03-27T20:30:00Z', 3);
assert.deepEqual(two, ['2026-03-27T22:00', '2026-03-28T00:00', '2026-03-29T01:00']);
const evenings = upcoming('0 22 * * *', 'America/Nuuk', '2026-03-27T12:00:00Z', 2);
assert.deepEqual(evenings, ['2026-03-28T00:00', '2026-03-29T23:00']);
const saturday = upcoming('0 22 * * *', 'America/Nuuk', '2026-03-28T12:00:00Z', 1);
assert.deepEqual(saturday, ['2026-03-29T00:00']);

const asked = '2026-04-04T14:10:00Z';
const [answered] = upcoming('0 * * * *', 'Australia/Lord_Howe', asked, 1);
assert.equal(answered, '2026-04-04T14:00');
assert.throws(() => upcoming('0 * * * *', 'Australia/Lord_Howe', asked, 2), (error) => {
  console.log('and then:', error.message);
  return /loop limit/.test(error.message);
});
JS
node see.mjs
