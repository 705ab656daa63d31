"""Runs the page's example for SQLAlchemy, given as text, and waits for the push where it says so."""

import json
import sys
import time

import psycopg
import sqlalchemy
from facts import sqlalchemy_url, url
from sqlalchemy.ext.automap import automap_base

engine = sqlalchemy.create_engine(sqlalchemy_url)


def pushed():
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(
            "select from clarify.task where id like 'local:%' union all"
            " select from clarify.company where id like 'local:%'"
        ).rowcount:
            time.sleep(0.05)


exec(sys.argv[1].replace("# before its push or long after it", "pushed()"))

base = automap_base(metadata=sqlalchemy.MetaData(schema="clarify"))
base.prepare(engine)
seen = {name: [each.key for each in sqlalchemy.inspect(base.classes[name]).relationships] for name in ("deal", "task")}
print(json.dumps(seen))
