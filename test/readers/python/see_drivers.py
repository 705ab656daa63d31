import asyncio

import adbc_driver_postgresql.dbapi as adbc
import asyncpg
import psycopg
from facts import DEALS, PEOPLE, attempt, emit, lists, url, weighted

UPSERT = """insert into clarify.task (_key, title) values ({0}, {1})
 on conflict (_key) do update set title = excluded.title returning title"""


def with_psycopg():
    with psycopg.connect(url, autocommit=True) as connection:
        deals = connection.execute(DEALS).fetchall()
        people = connection.execute(PEOPLE).fetchall()
        upsert = UPSERT.format("%s", "%s")
        titles = [connection.execute(upsert, ("local:p", title)).fetchone()[0] for title in ("one", "two")]
        for _ in range(8):
            connection.execute("select * from clarify.message limit 1")
        connection.execute("alter table clarify.message add column of_mine text")
        stale = attempt(lambda: len(connection.execute("select * from clarify.message limit 1").fetchall()))
        return {
            "amount": type(next(row[1] for row in deals if row[1] is not None)).__name__,
            "weighted": weighted((row[0], row[1] * row[2]) for row in deals if None not in row[1:3]),
            "lists": lists([row[0] for row in people]),
            "name": type(next(row[1] for row in people if row[1])).__name__,
            "created": deals[0][4].isoformat(),
            "titles": titles,
            "stale": stale,
        }


async def with_asyncpg():
    connection = await asyncpg.connect(url)
    deals = await connection.fetch(DEALS)
    people = await connection.fetch(PEOPLE)
    upsert = UPSERT.format("$1", "$2")
    titles = [await connection.fetchval(upsert, "local:a", title) for title in ("one", "two")]
    await connection.execute("update clarify.deal set amount = $1 where _key = (select min(_key) from clarify.deal)", 0.1)
    tenth = await connection.fetchval("select amount::text from clarify.deal order by _key limit 1")
    await connection.fetch("select * from clarify.message limit 1")
    await connection.execute("alter table clarify.message add column of_mine_too text")
    stale = len(await connection.fetch("select * from clarify.message limit 1"))
    await connection.close()
    return {
        "amount": type(next(row[1] for row in deals if row[1] is not None)).__name__,
        "weighted": weighted((row[0], row[1] * row[2]) for row in deals if row[1] is not None and row[2] is not None),
        "lists": lists([row[0] for row in people]),
        "name": type(next(row[1] for row in people if row[1])).__name__,
        "created": deals[0][4].isoformat(),
        "titles": titles,
        "tenth": tenth,
        "stale": stale,
    }


def with_adbc():
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(DEALS)
        deals = cursor.fetch_arrow_table()
        cursor.execute(PEOPLE)
        people = cursor.fetch_arrow_table()
        return {
            "amount": str(deals.schema.field("amount").type.storage_type),
            "created": str(deals.schema.field("_created_at").type),
            "closed": str(deals.schema.field("close_date").type),
            "lists": lists(people.column("interests").to_pylist()),
        }


emit(psycopg=with_psycopg(), asyncpg=asyncio.run(with_asyncpg()), adbc=with_adbc())
