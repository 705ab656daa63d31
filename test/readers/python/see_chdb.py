import json
from urllib.parse import unquote, urlparse

from chdb import session
from facts import attempt, emit, url

server = urlparse(url)
house = session.Session()


def ask(query):
    return [json.loads(line) for line in str(house.query(query, "JSONCompactEachRow")).splitlines()]


def place(table, schema="clarify"):
    parts = (f"{server.hostname}:{server.port}", server.path[1:], table)
    login = (unquote(server.username), unquote(server.password or ""), schema)
    return f"({', '.join(repr(part) for part in parts + login)})"


def answer(product, source):
    rows = ask(
        f"select stage, toString(sum({product})) from {source}"
        " where stage not in ('Won', 'Lost') group by stage"
    )
    return dict(rows)


deal, person = f"postgresql{place('deal')}", f"postgresql{place('person')}"
types = {row[0]: row[1] for row in ask(f"describe {deal}")}
ask("create database warehouse")
ask(
    "create table warehouse.list (_key String, interests Array(String))"
    f" engine = PostgreSQL{place('interests', 'public')}"
)
ask(f"create table warehouse.task (id String, _key String, title Nullable(String)) engine = PostgreSQL{place('task')}")
emit(
    amount=types["amount"],
    created=[types["_created_at"], ask(f"select _created_at from {deal} order by _key limit 1")[0][0]],
    closed=types["close_date"],
    total=ask(f"select toString(sum(amount)) from {deal}")[0][0],
    weighted=answer("amount * probability", deal),
    lists={
        "missing": int(ask(f"select countIf(interests is null) from {person}")[0][0]),
        "empty": int(ask(f"select countIf(empty(interests)) from {person}")[0][0]),
    },
    part=ask(f"select name__last_name from {person} where name__last_name is not null limit 1")[0][0] != "",
    view_with_lists=attempt(lambda: len(ask(f"select * from postgresql{place('interests', 'public')}"))),
    declared=len(ask("select * from warehouse.list")),
    insert=attempt(lambda: ask(f"insert into function postgresql{place('task')} (title) values ('house')")),
    insert_with_id=attempt(lambda: ask("insert into warehouse.task values ('local:h', 'local:h', 'house')")),
)
