#!/bin/sh
# Software: dbt-core 1.11.16 with dbt-postgres 1.11.0 (PyPI), unit tests, on Postgres 18.4.
# A guess:  a unit test fails when the model gives another value than the one that is expected.
# In truth: what is expected is cast to the type that the model's column has, and compared after that. A model that
#           divides whole numbers and gives 3 for 17 / 5 passes where 3.4 is expected, and where 2.6 is; 3.6 fails.
#           Four places are expected and two come, the evening of a day and the day alone comes: both pass. So a test
#           sees nothing of the faults that a wrong type makes.
# Hurt:     who writes the exact figure into the test to be sure of it: it is green, and the report rounds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-postgres==1.11.0
mkdir models
cat >dbt_project.yml <<'YML'
name: see
version: '1.0'
profile: see
flags: { send_anonymous_usage_stats: false }
YML
cat >profiles.yml <<'YML'
see:
  target: here
  outputs:
    here:
      type: postgres
      host: "{{ env_var('PGHOST') }}"
      port: "{{ env_var('PGPORT') | int }}"
      user: postgres
      password: "{{ env_var('PGPASSWORD') }}"
      dbname: postgres
      schema: public
      threads: 1
YML
cat >models/report.sql <<'SQL'
select id, points / games as mean, amount::numeric(20,2) as amount, due::date as due, won
  from {{ source('crm', 'deal') }}
SQL
cat >see.py <<'PY'
import json

import psycopg2
from dbt.cli.main import dbtRunner

database = psycopg2.connect("")
database.autocommit = True
database.cursor().execute(
    """create table deal (id integer, points integer, games integer, amount numeric(20,4), due timestamp,
         won boolean)"""
)
given = {"id": 1, "points": 17, "games": 5, "amount": 12.3456, "due": "2026-03-01 18:00", "won": True}
# The model gives 3, 12.35, 2026-03-01, true.
expected = {
    "exact": ({"mean": 3.4}, "pass"),
    "too_small": ({"mean": 2.6}, "pass"),
    "too_large": ({"mean": 3.6}, "fail"),
    "amount": ({"amount": 12.3456}, "pass"),
    "time": ({"due": "2026-03-01 18:00"}, "pass"),
    "boolean": ({"won": "on"}, "pass"),
    "other_day": ({"due": "2026-03-02"}, "fail"),
}
with open("models/tests.yml", "w") as file:
    json.dump(
        {
            "sources": [{"name": "crm", "schema": "public", "tables": [{"name": "deal"}]}],
            "unit_tests": [
                {
                    "name": name,
                    "model": "report",
                    "given": [{"input": "source('crm', 'deal')", "rows": [given]}],
                    "expect": {"rows": [row]},
                }
                for name, (row, _) in expected.items()
            ],
        },
        file,
    )
dbt = dbtRunner()
assert dbt.invoke(["--quiet", "run", "--profiles-dir", "."]).success
results = dbt.invoke(["--quiet", "test", "--profiles-dir", ".", "--log-level", "none"]).result
seen = {result.node.name: str(result.status) for result in results}
for name, (row, _) in expected.items():
    print(f"{name}, expected {row}: {seen[name]}")
assert seen == {name: status for name, (_, status) in expected.items()}, seen
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py 2>python.log || { cat python.log; exit 1; }
