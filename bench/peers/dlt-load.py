"""dlt reads every person into Postgres: pages of 500, four at a time, parquet by ADBC.

    python dlt-load.py rows|tables <people>

`rows` yields lists of an id and a record, which dlt makes one JSON column of. `tables` yields Arrow
tables of the same two columns, made here: dlt passes them on as they are.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import dlt
import orjson
import pyarrow
import requests
from requests.adapters import HTTPAdapter

FORM, PEOPLE = sys.argv[1], int(sys.argv[2])
PAGE, AT_ONCE = 500, 4
COLUMNS = {"id": {"data_type": "text"}, "record": {"data_type": "json"}}
SCHEMA = pyarrow.schema([("id", pyarrow.string()), ("record", pyarrow.string())])

session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=AT_ONCE))
session.headers.update({"authorization": f"api-key {os.environ['API_KEY']}", "user-agent": "dlt"})


def fetch(offset: int) -> list:
    answer = session.get(
        os.environ["PEOPLE_URL"],
        params={
            "sortOrder[column]": "_created_at",
            "sortOrder[dir]": "ASC",
            "page[offset]": offset,
            "page[limit]": PAGE,
        },
    )
    answer.raise_for_status()
    return orjson.loads(answer.content)["data"]


def rows(offset: int) -> list:
    return [{"id": one["id"], "record": one["attributes"]} for one in fetch(offset)]


def tables(offset: int) -> pyarrow.Table:
    page = fetch(offset)
    records = [orjson.dumps(one["attributes"]).decode() for one in page]
    return pyarrow.table([[one["id"] for one in page], records], schema=SCHEMA)


@dlt.resource(name="person", columns=COLUMNS, write_disposition="replace")
def person():
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map({"rows": rows, "tables": tables}[FORM], range(0, PEOPLE, PAGE))


dlt.pipeline(
    "bench",
    pipelines_dir=os.environ["PIPELINES"],
    destination=dlt.destinations.postgres(os.environ["DATABASE_URL"]),
    dataset_name="dlt",
).run(person(), loader_file_format="parquet").raise_on_failed_jobs()
