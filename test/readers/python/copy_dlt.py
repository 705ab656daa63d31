"""Runs the page's example for dlt, given as text, on a copy that stands in a folder; prints title by key."""

import json
import sys

import dlt
import duckdb
from facts import sqlalchemy_url as url

example, folder = sys.argv[1:]
copy = f"{folder}/copy.duckdb"
pipeline = dlt.pipeline(
    "copy", pipelines_dir=folder, dataset_name="kept", destination=dlt.destinations.duckdb(copy)
)
exec(example)
with duckdb.connect(copy) as connection:
    rows = connection.execute("select _key, id, title from kept.task").fetchall()
print(json.dumps({key: [id, title] for key, id, title in rows}))
