#!/bin/sh
# Software: duckdb 2.0.0 (PyPI), beside Postgres 18.4.
# A guess:  with the same time zone set, date_trunc('hour', …) of a timestamptz groups as Postgres
#           groups, and date_diff('hour', a, b) of two instants an hour apart is 1.
# In truth: in the hour that autumn repeats, date_trunc('hour', …) puts both hours into the first
#           and date_diff('hour', …) is 0. time_bucket(interval 1 hour, …) and date_sub('hour', …)
#           are right, as is date_trunc in Postgres.
# Hurt:     figures per hour that are checked against Postgres: one night a year one hour has twice
#           its rows and the next has none.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0 'psycopg[binary]==3.3.9'
cat >see.py <<'PY'
import os

import duckdb
import psycopg

first, second = "timestamptz '2026-10-25 00:30Z'", "timestamptz '2026-10-25 01:30Z'"


def look(connection, expression):
    connection.execute("set timezone = 'Europe/Oslo'")
    (value,) = connection.execute(f"select ({expression})::text").fetchone()
    print(f"{type(connection).__module__.split('.')[0].strip('_'):8} {expression} = {value}")
    return value


duck, postgres = duckdb.connect(), psycopg.connect(os.environ["DATABASE_URL"])
same = f"date_trunc('hour', {first}) = date_trunc('hour', {second})"
assert look(postgres, same) == "false"
assert look(duck, same) == "true"
assert look(duck, f"time_bucket(interval 1 hour, {first}) = time_bucket(interval 1 hour, {second})") == "false"
assert look(duck, f"date_diff('hour', {first}, {second})") == "0"
assert look(duck, f"date_sub('hour', {first}, {second})") == "1"
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
