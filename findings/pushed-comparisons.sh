#!/bin/sh
# Software: ClickHouse 26.9 (chdb 4.4.0) and Daft 0.7.26 with connectorx 0.4.6 (PyPI), on Postgres 18.4 with ICU's
#           en-US, as most databases have that order or the like of it.
# A guess:  a table of Postgres that is read through an engine answers a comparison of texts as the engine
#           does; whether the engine or the database applies it is a matter of speed.
# In truth: both hand `name > 'Z'` to Postgres, whose order is that of a dictionary; theirs is that of bytes. Of
#           twelve names ClickHouse finds nine in its own table and three in Postgres. Since it applies its own
#           comparison to what came, five of the twelve are neither below 'a' nor from 'a' on. Daft takes
#           what came: below 'a' is `~tilde`, and Banana and Zoe are not. No word is said. DuckDB 1.5.5
#           answers as from a table of its own.
# Hurt:     ranges of texts: keys that are read in slices (`id > 'last'`), codes, versions, names by letter. With
#           ClickHouse rows are lost, and a test on a copy shows nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0 daft==0.7.26 \
  connectorx==0.4.6 'psycopg[binary]==3.3.9' sqlalchemy==2.1.9 sqlglot==30.30.0
cat >see.py <<'PY'
import json
import os

import daft
import psycopg
from chdb import session

names = ["apple", "Banana", "Zoe", "zed", "9 lives", "Émile", "~tilde", "_under", "A-1", "ZZ", "a b", "ab"]
server_url = os.environ["DATABASE_URL"]
url = server_url.removesuffix("/postgres") + "/crm"
with psycopg.connect(server_url, autocommit=True) as server:
    server.execute("create database crm template template0 locale_provider icu icu_locale 'en-US'")
with psycopg.connect(url) as database:
    database.execute("create table person (name text)")
    database.cursor().executemany("insert into person values (%s)", [[name] for name in names])

house = session.Session()
table = f"postgresql('127.0.0.1:{os.environ['PGPORT']}', 'crm', 'person', 'postgres', 'postgres')"
house.query("create database own engine = Atomic")
house.query(f"create table own.person engine = MergeTree order by tuple() as select * from {table}")


def clickhouse(source, condition):
    found = house.query(f"select name from {source} where {condition}", "JSONCompactEachRow")
    return {json.loads(line)[0] for line in str(found).splitlines()}


def in_daft(frame, condition):
    return set(frame.where(daft.sql_expr(condition)).to_pydict()["name"])


seen = {}
for condition in ("name > 'Z'", "name < 'a'", "name >= 'a'"):
    own, pushed = clickhouse("own.person", condition), clickhouse(table, condition)
    seen["ClickHouse", condition] = own, pushed
    print(f"ClickHouse: {condition:11} finds {len(own)} in its own table, {len(pushed)} in Postgres: {sorted(pushed)}")
    read = daft.read_sql("select name from person", url)
    own, pushed = in_daft(daft.from_pydict({"name": names}), condition), in_daft(read, condition)
    seen["Daft", condition] = own, pushed
    print(f"Daft:       {condition:11} finds {len(own)} in its own table, {len(pushed)} in Postgres: {sorted(pushed)}")

bytewise = {"Zoe", "ZZ", "zed", "apple", "a b", "ab", "Émile", "~tilde", "_under"}
assert seen["ClickHouse", "name > 'Z'"] == (bytewise, {"Zoe", "ZZ", "zed"})
assert seen["Daft", "name > 'Z'"] == (bytewise, {"Zoe", "ZZ", "zed"})
below, above = seen["ClickHouse", "name < 'a'"], seen["ClickHouse", "name >= 'a'"]
assert below[0] | above[0] == set(names)
assert set(names) - below[1] - above[1] == {"Banana", "Zoe", "A-1", "ZZ", "~tilde"}
assert seen["Daft", "name < 'a'"][1] == {"9 lives", "~tilde", "_under"}
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
