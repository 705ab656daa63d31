import polars as pl
import psycopg
from facts import DEALS, OPEN, PEOPLE, attempt, emit, lists, url

connection = psycopg.connect(url)
whole = {"infer_schema_length": None}


def sums(deals, product):
    by_stage = deals.filter(pl.col("stage").is_in(OPEN)).group_by("stage").agg(product.sum().alias("v"))
    return {stage: str(value.normalize()) for stage, value in by_stage.rows()}


deals = pl.read_database(DEALS, connection, **whole)
product = pl.col("amount") * pl.col("probability")
wide = pl.col("amount").cast(pl.Decimal(38, 8)) * pl.col("probability")
people = pl.read_database(PEOPLE, connection, **whole)

adbc = pl.read_database_uri(DEALS, url, engine="adbc").with_columns(
    pl.col("amount", "probability").ext.storage().cast(pl.Decimal(38, 8))
)
adbc_people = pl.read_database_uri(PEOPLE, url, engine="adbc")
cx = pl.read_database_uri(DEALS, url, engine="connectorx")
cx_people = pl.read_database_uri(PEOPLE, url, engine="connectorx")
emit(
    amount=str(deals.schema["amount"]),
    total=str(deals["amount"].sum().normalize()),
    weighted=sums(deals, product),
    weighted_wide=sums(deals, wide),
    first_rows_only=attempt(lambda: str(pl.read_database(PEOPLE, connection).schema)),
    lists=lists(people["interests"].to_list()),
    name=str(people.schema["name"].base_type()),
    created=[str(deals.schema["_created_at"]), deals["_created_at"][0].isoformat()],
    closed=str(deals.schema["close_date"]),
    adbc={
        "amount": str(pl.read_database_uri(DEALS, url, engine="adbc").schema["amount"].base_type()),
        "total": str(adbc["amount"].sum().normalize()),
        "weighted": sums(adbc, product),
        "lists": lists(adbc_people["interests"].to_list()),
        "created": adbc["_created_at"][0].isoformat(),
    },
    connectorx={
        "amount": str(cx.schema["amount"]),
        "total": str(cx["amount"].sum().normalize()),
        "weighted": sums(cx, product),
        "lists": lists(cx_people["interests"].to_list()),
        "created": cx["_created_at"][0].isoformat(),
    },
    largest=str(pl.read_database("select 9999999999999999.9999::numeric(20,4) as v", connection)["v"][0]),
)
