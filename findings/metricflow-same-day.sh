#!/bin/sh
# Software: MetricFlow 0.213.0 (dbt-metricflow 0.15.0 with dbt-core 1.11.16 and dbt-postgres 1.11.0, PyPI), on Postgres 18.4.
# A guess:  a dimension with validity_params is the one of the version that was valid when the event happened: both
#           sides are instants, and time_granularity says by what one can group.
# In truth: the event's instant is cut down to its time_granularity before it is compared, the ends of the
#           versions are not. With `day`, as every example has it, an event belongs to the version of
#           midnight: what happened after a change is counted under the value of before, a version
#           of a few hours never has any event, and all events of the day on which a record was made belong to no
#           version at all. So it is when nothing is grouped by time. With `microsecond` it is as one would guess.
# Hurt:     who counts activities by the stage or owner a record had: whatever is begun and settled within a day is
#           under nothing or under the wrong name; the total is right, so nobody looks.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check dbt-metricflow==0.15.0 metricflow==0.213.0 \
  dbt-core==1.11.16 dbt-postgres==1.11.0
cat >dbt_project.yml <<'YML'
name: crm
version: '1.0'
profile: crm
YML
cat >profiles.yml <<'YML'
crm:
  target: here
  outputs:
    here:
      type: postgres
      host: "{{ env_var('PGHOST') }}"
      port: "{{ env_var('PGPORT') | int }}"
      user: "{{ env_var('PGUSER') }}"
      password: "{{ env_var('PGPASSWORD') }}"
      dbname: "{{ env_var('PGDATABASE') }}"
      schema: public
      threads: 1
YML
mkdir models
cat >models/days.sql <<'SQL'
{{ config(materialized='table') }}
select day::date as day from generate_series(date '2026-01-01', date '2026-12-31', interval '1 day') as day
SQL
cat >models/task.sql <<'SQL'
{{ config(materialized='table') }}
select *
  from (values ('before the change', 'd1', timestamptz '2026-03-02 15:00Z'),
               ('in the offer', 'd1', timestamptz '2026-03-03 13:00Z'),
               ('after it was won', 'd1', timestamptz '2026-03-03 15:00Z'),
               ('a day later', 'd1', timestamptz '2026-03-04 15:00Z')) as task (key, deal_key, created_at)
SQL
cat >models/deal_history.sql <<'SQL'
{{ config(materialized='table') }}
select *
  from (values ('d1', 'New', timestamptz '2026-03-02 08:00Z', timestamptz '2026-03-03 12:00Z'),
               ('d1', 'Offer', timestamptz '2026-03-03 12:00Z', timestamptz '2026-03-03 14:00Z'),
               ('d1', 'Won', timestamptz '2026-03-03 14:00Z', null)) as deal (key, stage, valid_from, valid_to)
SQL
cat >see.py <<'PY'
import csv
import os
import subprocess

MODELS = """
models:
  - name: days
    time_spine: {standard_granularity_column: day}
    columns: [{name: day, granularity: day}]
semantic_models:
  - name: task
    model: ref('task')
    defaults: {agg_time_dimension: created_at}
    entities:
      - {name: task, type: primary, expr: key}
      - {name: deal, type: foreign, expr: deal_key}
    dimensions:
      - {name: created_at, type: time, type_params: {time_granularity: GRAIN}}
    measures:
      - {name: tasks, expr: "1", agg: sum, create_metric: true}
  - name: deal_history
    model: ref('deal_history')
    primary_entity: deal
    entities:
      - {name: deal, type: natural, expr: key}
    dimensions:
      - {name: stage, type: categorical}
      - {name: valid_from, type: time, type_params: {time_granularity: GRAIN, validity_params: {is_start: true}}}
      - {name: valid_to, type: time, type_params: {time_granularity: GRAIN, validity_params: {is_end: true}}}
"""
os.environ |= {"DBT_PROFILES_DIR": os.getcwd(), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


def run(*command):
    done = subprocess.run([f"python/bin/{command[0]}", *command[1:]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def by_stage(granularity):
    with open("models/models.yml", "w") as file:
        file.write(MODELS.replace("GRAIN", granularity))
    run("dbt", "build", "--quiet")
    run("mf", "query", "--metrics", "tasks", "--group-by", "deal__stage", "--csv", "seen.csv")
    with open("seen.csv") as file:
        seen = {row["deal__stage"] or None: int(float(row["tasks"])) for row in csv.DictReader(file)}
    print(f"time_granularity {granularity}: tasks by the stage of their deal: {seen}")
    return seen


assert by_stage("day") == {None: 1, "New": 2, "Won": 1}
assert by_stage("microsecond") == {"New": 1, "Offer": 1, "Won": 2}
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
