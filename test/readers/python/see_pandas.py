import warnings
from decimal import Decimal

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import sqlalchemy as sa
from facts import DEALS, PEOPLE, attempt, emit, lists, sqlalchemy_url, url, weighted

engine = sa.create_engine(sqlalchemy_url)
plain = pd.read_sql(DEALS, engine)
exact = pd.read_sql(DEALS, engine, coerce_float=False)
people = pd.read_sql(PEOPLE, engine)
table = pd.read_sql_table("deal", engine, schema="clarify")
big = "select 9999999999999999.9999::numeric(20,4) as v"
with adbc.connect(url) as connection, warnings.catch_warnings():
    warnings.simplefilter("ignore")
    arrow = pd.read_sql(DEALS, connection)


def mapped(frame):
    amounts, chances = (frame[name].map(Decimal, na_action="ignore") for name in ("amount", "probability"))
    return weighted(
        (stage, amount * chance)
        for stage, amount, chance in zip(frame["stage"], amounts, chances)
        if isinstance(amount, Decimal) and isinstance(chance, Decimal)
    )


emit(
    amount=str(plain["amount"].dtype),
    largest=str(pd.read_sql(big, engine)["v"][0]),
    largest_exact=str(pd.read_sql(big, engine, coerce_float=False)["v"][0]),
    total_exact=str(exact["amount"].sum().normalize()),
    weighted=mapped(exact),
    lists=lists(people["interests"].to_list()),
    name=type(people["name"].dropna().iloc[0]).__name__,
    created=[str(plain["_created_at"].dtype), plain["_created_at"][0].isoformat()],
    closed=type(plain["close_date"].dropna().iloc[0]).__name__,
    closed_of_table=str(table["close_date"].dtype),
    adbc={
        "amount": type(arrow["amount"].dropna().iloc[0]).__name__,
        "sum": attempt(lambda: str(arrow["amount"].dropna().sum())[:20]),
        "weighted": mapped(arrow),
        "created": arrow["_created_at"][0].isoformat(),
    },
)
