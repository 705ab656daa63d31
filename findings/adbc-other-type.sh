#!/bin/sh
# Software: adbc-driver-postgresql 1.13.0 under pandas 3.1.1 (PyPI), on Postgres 18.4.
# A guess:  rows that are appended to a table go into its columns as an INSERT's values do, or are refused
#           where a type is another one, as a double is for numeric.
# In truth: each value is sent as the bytes of its own type and read as those of the column's. Where as many are
#           expected, nothing is said: 3.0 in a bigint is 4613937818241073152, 7 in a double precision is 3.5e-323,
#           seconds since 1970 in a timestamptz are microseconds since 2000, the text "f" (of one byte that is not
#           zero) is true, "2026" in an integer is 842019382. In pandas a column of whole numbers with one gap is
#           made of doubles, so a missing value turns all the others into rubbish.
# Hurt:     whoever appends to a table that was not made by it: by pandas' to_sql, polars' write_database or adbc_ingest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check adbc-driver-postgresql==1.13.0 pyarrow==26.0.1 pandas==3.1.1
cat >see.py <<'PY'
import os

import adbc_driver_postgresql.dbapi
import pandas as pd

url = os.environ["DATABASE_URL"]
connection = adbc_driver_postgresql.dbapi.connect(url)


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall() if sql.startswith("select") else None
    connection.commit()
    return rows


run("create table line (id text, pieces bigint)")
pd.DataFrame({"id": ["a", "b"], "pieces": [3, 4]}).to_sql("line", connection, if_exists="append", index=False)
pd.DataFrame({"id": ["c", "d"], "pieces": [5, None]}).to_sql("line", connection, if_exists="append", index=False)
seen = run("select id, pieces from line order by id")
print("3, 4 and 5 beside a gap:", seen)
assert seen == [("a", 3), ("b", 4), ("c", 4617315517961601024), ("d", None)], seen

for column, value, expected in [
    ("bigint", 3.0, "4613937818241073152"),
    ("double precision", 7, "3.5e-323"),
    ("timestamptz", 1_790_000_000, "2000-01-01 00:29:50+00"),
    ("boolean", "f", "true"),
    ("integer", "2026", "842019382"),
]:
    run("drop table if exists other")
    run(f"create table other (v {column})")
    pd.DataFrame({"v": [value]}).to_sql("other", connection, if_exists="append", index=False)
    ((seen,),) = run("select v::text from other")
    print(f"{value!r} in a column of {column}: {seen}")
    assert seen == expected, seen

run("create table amount (v numeric)")
try:
    pd.DataFrame({"v": [3.0]}).to_sql("amount", connection, if_exists="append", index=False)
    raise SystemExit("a double was appended to numeric")
except Exception as error:
    print(f"3.0 in a column of numeric: {type(error).__name__}")
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
