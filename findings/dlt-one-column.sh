#!/bin/sh
# Software: dlt 1.31.0 with psycopg2-binary 2.9.13 (PyPI), on Postgres 18.4.
# A guess:  two fields of a record whose names become the same column are an error, or one of them gets
#           a suffix or a hash; letters that are not Latin stay, or are spelled out.
# In truth: names that become one are one column, and of each row the field that comes last wins,
#           without a word in the log: with updatedAt and updated_at in a row it is now the one and now the
#           other. What is not A to Z, 0 to 9 goes: every name in Japanese, Chinese, Cyrillic or Greek
#           is the column "x", and of a record of such fields one value is left.
# Hurt:     whoever loads a CRM or a sheet whose users name fields in their own language, or an API
#           that has both spellings of a field while it is being renamed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'dlt[postgres]==1.31.0' \
  psycopg2-binary==2.9.13
cat >see.py <<'PY'
import os

import dlt

pipeline = dlt.pipeline(
    "names",
    pipelines_dir="pipelines",
    destination=dlt.destinations.postgres(os.environ["DATABASE_URL"]),
    dataset_name="names",
)


def see(table, rows):
    pipeline.run(rows, table_name=table).raise_on_failed_jobs()
    columns = "select column_name from information_schema.columns where table_name = %s and column_name !~ '^_dlt'"
    with pipeline.sql_client() as client:
        names = sorted(name for (name,) in client.execute_sql(columns, table))
        values = client.execute_sql(f"select {', '.join(names)} from {table} order by 1")
    print(table, names, values)
    return names, values


spelled = [
    {"id": 1, "updatedAt": "camel", "updated_at": "snake"},
    {"id": 2, "updated_at": "snake", "updatedAt": "camel"},
]
assert see("spelled", spelled) == (["id", "updated_at"], [(1, "snake"), (2, "camel")])
japanese = [{"id": 1, "名前": "Sato", "会社": "Acme", "電話": "03"}]
assert see("japanese", japanese) == (["id", "x"], [(1, "03")])
russian = [{"id": 1, "имя": "Anna", "год": 1990, "город": "Riga"}]
assert see("russian", russian) == (["id", "x"], [(1, "Riga")])
sums = [{"id": 1, "Amount €": "5", "Amount $": "6"}]
assert see("sums", sums) == (["amountx", "id"], [("6", 1)])
PY
RUNTIME__DLTHUB_TELEMETRY=false node "$here/postgres.mjs" "$work" python/bin/python see.py
