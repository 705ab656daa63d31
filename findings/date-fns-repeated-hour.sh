#!/bin/sh
# Software: date-fns 4.4.0, @date-fns/tz 1.5.0 (npm).
# A guess:  startOfMinute() goes back by less than a minute; eachHourOfInterval() over four hours of
#           real time gives every hour once, also when the clocks are turned.
# In truth: on a machine in Oslo, in the second pass of the hour that autumn repeats, startOfMinute()
#           goes back by an hour and startOfHour() by an hour more than due. eachHourOfInterval()
#           leaves one of the two hours out: the second with a Date there, the first with a TZDate
#           on a machine in UTC. setMinutes() on a TZDate in the second pass is right in UTC and an
#           hour off in Oslo.
# Hurt:     charts and sums by the hour (an hour's rows fall into none); keys "rounded to the
#           minute" that collide; code that was right in CI, in UTC, and wrong on a desk.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent date-fns@4.4.0 @date-fns/tz@1.5.0
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { TZDate } from '@date-fns/tz';
import { eachHourOfInterval, setMinutes, startOfHour, startOfMinute } from 'date-fns';

const utc = (date) => new Date(+date).toISOString().slice(11, 19);
const zoned = (text) => new TZDate(text, 'Europe/Oslo');
const plain = (text) => new Date(text);
const late = '2026-10-25T01:30:20Z';
const hours = (make) =>
  eachHourOfInterval({ start: make('2026-10-24T23:00:00Z'), end: make('2026-10-25T02:00:00Z') })
    .map(utc)
    .join(' ');
const seen = {
  'Date: startOfMinute(01:30:20)': utc(startOfMinute(plain(late))),
  'Date: startOfHour(01:30:20)': utc(startOfHour(plain(late))),
  'Date: each hour': hours(plain),
  'TZDate: each hour': hours(zoned),
  'TZDate: setMinutes(01:30:20, 45)': utc(setMinutes(zoned(late), 45)),
};
console.log(`in UTC, on a machine in ${process.env.TZ}:`, seen);
const expected = {
  UTC: ['01:30:00', '01:00:00', '23:00:00 00:00:00 01:00:00 02:00:00', '23:00:00 01:00:00 02:00:00', '01:45:20'],
  'Europe/Oslo': ['00:30:00', '00:00:00', '23:00:00 00:00:00 02:00:00', '23:00:00 00:00:00 02:00:00', '00:45:20'],
};
assert.deepEqual(Object.values(seen), expected[process.env.TZ]);
JS
TZ=UTC node see.mjs
TZ=Europe/Oslo node see.mjs
