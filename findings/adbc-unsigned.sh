#!/bin/sh
# Software: adbc-driver-postgresql 1.13.0 under polars 2.1.0 (PyPI), on Postgres 18.4.
# A guess:  an unsigned 64-bit number that does not fit a bigint is an error, or the column becomes
#           numeric: psycopg and SQLAlchemy do one of the two.
# In truth: the column becomes bigint and the bits are kept: 2^63 + 1 arrives as -2^63 + 1, without
#           a word; half of all hashes do (polars' hash() and hash_rows() are unsigned 64-bit). The
#           column of a numeric(20,4) becomes plain numeric and its zeros go: 1.1000 is 1.1. Read
#           back, the time 24:00 is 00:00.
# Hurt:     keys and checksums made in polars and compared with those in Postgres.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check adbc-driver-postgresql==1.13.0 \
  polars==2.1.0 pyarrow==26.0.1
cat >see.py <<'PY'
import os
from datetime import time
from decimal import Decimal

import polars
from adbc_driver_postgresql import dbapi

url = os.environ["DATABASE_URL"]


def ask(query):
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        print(query, row)
        return row


big = 2**63 + 1
frame = polars.DataFrame({"key": polars.Series([big], dtype=polars.UInt64)})
amounts = polars.Series([Decimal("1.1000")], dtype=polars.Decimal(20, 4))
frame.with_columns(amount=amounts).write_database("by_polars", url, engine="adbc")
written = ask("select key, pg_typeof(key)::text, amount::text from by_polars")
assert written == (big - 2**64, "bigint", "1.1")

hashes = polars.DataFrame({"key": polars.Series(range(1000)).hash()})
hashes.write_database("hashes", url, engine="adbc")
(negative,) = ask("select count(*) filter (where key < 0) from hashes")
assert 400 < negative < 600

assert ask("select time '24:00'") == (time(0, 0),)
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
