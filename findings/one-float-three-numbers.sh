#!/bin/sh
# Software: psycopg 3.3.9, psycopg2 2.9.13, asyncpg 0.32.0, pg8000 1.31.6 (PyPI), Bun 1.4.5 with its own
#           client, pg 8.23.1 (npm), on Postgres 18.4.
# A guess:  a float goes into a numeric column as it prints, whichever client sends it; for a whole-number
#           column 2.5 is refused, or all round it alike.
# In truth: psycopg 3 and Bun send a double precision, which Postgres turns into a numeric of fifteen
#           digits: 12345678901234.56 is stored as 12345678901234.6. psycopg2, pg8000 and pg store what is
#           printed, asyncpg every binary digit. In a bigint 2.5 is 2 for psycopg 3, Bun and asyncpg, 3 for
#           psycopg2, and an error for pg8000 and pg. In psycopg 3, COPY stores what is printed and INSERT does
#           not: what it wrote is not found by the float that was given.
# Hurt:     who moves from psycopg2 to psycopg 3 or from pg to Bun; loads that take COPY for many rows and
#           INSERT for few; "has it changed?" by comparing with what was sent.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 bun@1.4.5 pg@8.23.1
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' psycopg2-binary==2.9.13 \
  asyncpg==0.32.0 pg8000==1.31.6
cat >see.py <<'PY'
import asyncio
import os

import asyncpg
import pg8000.dbapi
import psycopg
import psycopg2

url = os.environ["DATABASE_URL"]
amount = 12345678901234.56


def stored(connection, column, value):
    cursor = connection.cursor()
    try:
        cursor.execute(f"insert into line ({column}) values (%s) returning {column}::text", (value,))
        return cursor.fetchone()[0]
    except Exception as error:
        return f"refused ({type(error).__name__})"
    finally:
        connection.rollback()


async def by_asyncpg():
    connection = await asyncpg.connect(url)
    return [
        await connection.fetchval("insert into line (amount) values ($1) returning amount::text", amount),
        await connection.fetchval("insert into line (pieces) values ($1) returning pieces::text", 2.5),
    ]


with psycopg.connect(url) as three:
    three.execute("create table line (amount numeric, pieces bigint)")
login = dict(user="postgres", password="postgres", host="127.0.0.1", port=int(os.environ["PGPORT"]))
clients = {
    "psycopg2": psycopg2.connect(url),
    "psycopg": psycopg.connect(url),
    "pg8000": pg8000.dbapi.connect(**login),
}
seen = {name: [stored(client, "amount", amount), stored(client, "pieces", 2.5)] for name, client in clients.items()}
seen["asyncpg"] = asyncio.run(by_asyncpg())
for name, values in seen.items():
    print(f"{name:10} {values}")
assert seen == {
    "psycopg2": ["12345678901234.56", "3"],
    "psycopg": ["12345678901234.6", "2"],
    "pg8000": ["12345678901234.56", "refused (DatabaseError)"],
    "asyncpg": ["12345678901234.560546875", "2"],
}, seen

with psycopg.connect(url) as three:
    by = {}
    for way in ("INSERT", "COPY"):
        three.execute("truncate line")
        if way == "INSERT":
            three.execute("insert into line (amount) values (%s)", (amount,))
        else:
            with three.cursor().copy("copy line (amount) from stdin") as copy:
                copy.write_row((amount,))
        (there,) = three.execute("select amount::text from line").fetchone()
        (found,) = three.execute("select count(*) from line where amount = %s", (amount,)).fetchone()
        by[way] = (there, found)
    print(f"psycopg: {by} (stored, found by that float)")
    assert by == {"INSERT": ("12345678901234.6", 0), "COPY": ("12345678901234.56", 1)}, by
PY
cat >see.mjs <<'JS'
import { deepStrictEqual } from 'node:assert';
import { SQL } from 'bun';
import { Client } from 'pg';

const sql = new SQL(process.env.DATABASE_URL);
const pg = new Client(process.env.DATABASE_URL);
await pg.connect();
const byBun = async (column, value) =>
  (await sql`insert into line ${sql({ [column]: value })} returning ${sql(column)}::text as v`)[0].v;
const byPg = (column, value) =>
  pg.query(`insert into line (${column}) values ($1) returning ${column}::text as v`, [value]).then(
    ({ rows }) => rows[0].v,
    (error) => `refused (${error.code})`,
  );
for (const [name, by, expected] of [
  ['Bun', byBun, ['12345678901234.6', '2']],
  ['pg', byPg, ['12345678901234.56', 'refused (22P02)']],
]) {
  const seen = [await by('amount', 12345678901234.56), await by('pieces', 2.5)];
  console.log(name.padEnd(10), seen);
  deepStrictEqual(seen, expected);
}
await pg.end();
await sql.close();
JS
node "$here/postgres.mjs" "$work" sh -c 'python/bin/python see.py && node_modules/.bin/bun see.mjs'
