#!/bin/sh
# Software: node-cron 4.6.0 (npm), a virtual clock by @sinonjs/fake-timers 15.0.0.
# A guess:  "0 0 * * *" with a time zone runs once on every day of that zone; a task that was
#           destroyed has no next run.
# In truth: where summer time begins at midnight (Cairo, Santiago, Beirut) the day has no 00:00,
#           and the run of that day is left out: 47 hours pass between two daily runs. Where a
#           local time comes twice, the second is taken, so a list of hours ("*/30 1-3") falls
#           silent for 90 minutes. getNextRun() is null before a task was started, and names a
#           time after it was destroyed.
# Hurt:     daily closings, reports and clean-ups "at midnight": once a year a day has none.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent node-cron@4.6.0 @sinonjs/fake-timers@15.0.0
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import timers from '@sinonjs/fake-timers';

const clock = timers.install({ now: Date.parse('2026-04-22T12:00:00Z') });
const { createTask } = await import('node-cron');
const minutes = (dates) => dates.map((date) => date.toISOString().slice(0, 16));
const planned = (pattern, timezone, from, count) => {
  clock.setSystemTime(Date.parse(from));
  return minutes(createTask(pattern, () => {}, { timezone }).getNextRuns(count));
};

const fired = [];
const daily = createTask('0 0 * * *', () => fired.push(new Date()), { timezone: 'Africa/Cairo' });
const beforeStart = daily.getNextRun();
daily.start();
await clock.tickAsync(80 * 3600_000);
await daily.destroy();
console.log('daily in Cairo, fired:', minutes(fired));
console.log('next run before start:', beforeStart, 'after destroy:', daily.getNextRun());
assert.deepEqual(minutes(fired), ['2026-04-22T22:00', '2026-04-24T21:00']);
assert.equal(beforeStart, null);
assert.ok(daily.getNextRun() instanceof Date);

const santiago = planned('0 0 * * *', 'America/Santiago', '2026-09-04T12:00:00Z', 2);
console.log('daily in Santiago:', santiago);
assert.deepEqual(santiago, ['2026-09-05T04:00', '2026-09-07T03:00']);

const autumn = planned('*/30 1-3 * * *', 'Europe/Oslo', '2026-10-24T22:00:00Z', 6);
console.log('*/30 1-3 in Oslo:', autumn);
assert.deepEqual(autumn.slice(1, 3), ['2026-10-24T23:30', '2026-10-25T01:00']);
clock.uninstall();
JS
node see.mjs
