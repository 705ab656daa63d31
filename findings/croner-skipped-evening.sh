#!/bin/sh
# Software: croner 11.0.1 (npm).
# A guess:  a local time that spring skips is made up for at once: croner runs "30 2 * * *" of Oslo
#           at 03:00 on that day, so it does the same for any other skipped time.
# In truth: where the skipped hour is the last of the day (Greenland), nothing is made up: 47 hours
#           lie between two runs of "30 23 * * *". And a list that reaches the skipped hour by a step
#           ("0 */2") is not made up for either, so Oslo has three hours between two runs.
# Hurt:     daily jobs late in the evening; whoever reasons from the documented case to the others.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent croner@11.0.1
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { Cron } from 'croner';

function upcoming(pattern, timezone, from, count) {
  const runs = new Cron(pattern, { timezone }).nextRuns(count, new Date(from));
  const times = runs.map((at) => at.toISOString().slice(0, 16));
  console.log(timezone, pattern, times);
  return times;
}

const oslo = upcoming('30 2 * * *', 'Europe/Oslo', '2026-03-27T20:00:00Z', 3);
assert.deepEqual(oslo, ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30']);
const nuuk = upcoming('30 23 * * *', 'America/Nuuk', '2026-03-27T20:00:00Z', 2);
assert.deepEqual(nuuk, ['2026-03-28T01:30', '2026-03-30T00:30']);
const stepped = upcoming('0 */2 * * *', 'Europe/Oslo', '2026-03-28T22:30:00Z', 2);
assert.deepEqual(stepped, ['2026-03-28T23:00', '2026-03-29T02:00']);
JS
node see.mjs
