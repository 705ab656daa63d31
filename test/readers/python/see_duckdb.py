import glob
import os

import duckdb
import duckdb_extension_postgres_scanner as extension
import psycopg
from facts import attempt, emit, lists, url, weighted

# `install postgres` fetches the same file from DuckDB itself.
path = glob.glob(os.path.dirname(extension.__file__) + "/extensions/*/postgres_scanner.duckdb_extension")
duck = duckdb.connect(config={"allow_unsigned_extensions": "true"})
duck.execute(f"load '{path[0]}'")
duck.execute("set timezone = 'UTC'")
duck.execute(f"attach '{url}' as pg (type postgres)")
types = {name: kind for name, kind, *_ in duck.sql("describe pg.clarify.deal").fetchall()}
people = {name: kind for name, kind, *_ in duck.sql("describe pg.clarify.person").fetchall()}


def run(statement):
    return attempt(lambda: duck.execute(statement).fetchall()[0][0])


written = {
    "insert": run("insert into pg.clarify.task (title) values ('duck')"),
    "generated": run("""insert into pg.clarify.person (name) values ('{"first_name": "Duck"}')"""),
    "upsert": run(
        "insert into pg.clarify.task (_key, title) values ('local:d', 'duck')"
        " on conflict (_key) do update set title = excluded.title"
    ),
    "upsert_with_id": run(
        "insert into pg.clarify.task (id, _key, title) values ('local:d', 'local:d', 'duck')"
        " on conflict (_key) do update set title = excluded.title"
    ),
    "update": run("update pg.clarify.task set title = 'drake' where title = 'duck'"),
    "delete": run("delete from pg.clarify.task where title = 'drake'"),
}
duck.execute("detach pg")
duck.execute(f"attach '{url}' as pg (type postgres)")
before = len(duck.sql("select * from pg.clarify.meeting limit 1").columns)
with psycopg.connect(url) as other:
    other.execute("alter table clarify.meeting add column of_mine text")
after = len(duck.sql("select * from pg.clarify.meeting limit 1").columns)
duck.execute("call pg_clear_cache()")
cleared = len(duck.sql("select * from pg.clarify.meeting limit 1").columns)
emit(
    amount=types["amount"],
    types=[types["_created_at"], types["close_date"], people["interests"], people["name"]],
    total=str(duck.sql("select sum(amount) from pg.clarify.deal").fetchone()[0].normalize()),
    weighted=weighted(
        duck.sql("select stage, sum(amount * probability) from pg.clarify.deal group by stage").fetchall()
    ),
    lists=lists([row[0] for row in duck.sql("select interests from pg.clarify.person").fetchall()]),
    created=duck.sql("select _created_at from pg.clarify.deal order by _key limit 1").fetchone()[0].isoformat(),
    written=written,
    columns=[after - before, cleared - before],
)
