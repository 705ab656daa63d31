#!/bin/sh
# Software: csv-parse 7.0.3, csv-stringify 6.9.0 (npm).
# A guess:  cast: true makes numbers of what looks like one and leaves the rest as text; what the
#           sister package writes from true, false and a Date is read back as something of the kind.
# In truth: it tests with one rule and converts with another: every hexadecimal, octal or binary text
#           ("0xdeadbeef", "0b11") becomes 0. cast_date: true makes the 1st of March 2001 of "Room 3".
#           Written, true is 1, false is nothing, just as null and '' are, and a Date its
#           milliseconds; a column that the first record lacks is left out for all.
# Hurt:     keys in hexadecimal (all of them are 0, and so equal), unchecked boxes that become
#           unknown, imports of places and titles.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent csv-parse@7.0.3 csv-stringify@6.9.0
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';

const [numbers] = parse('0xdeadbeef,0x1F,0b11,0o17,0x1p3,1_000\n', { cast: true });
console.log('cast:', numbers);
assert.deepEqual(numbers, [0, 0, 0, 0, '0x1p3', '1_000']);

const [[room]] = parse('Room 3\n', { cast: true, cast_date: true });
console.log('cast_date of "Room 3":', room);
assert.deepEqual([room.getFullYear(), room.getMonth(), room.getDate()], [2001, 2, 1]);

const since = new Date('2026-03-29T00:00:00Z');
const written = stringify([
  { open: true, since },
  { open: false, note: 'kept?' },
  { open: null },
  { open: '' },
]);
console.log('written:', written.split('\n'));
assert.equal(written, '1,1774742400000\n,\n,\n,\n');
JS
node see.mjs
