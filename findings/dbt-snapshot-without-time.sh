#!/bin/sh
# Software: dbt-core 1.11.16 with dbt-postgres 1.11.0 (PyPI), snapshots with `strategy: timestamp`, on Postgres 18.4.
# A guess:  a row whose updated_at is NULL when it is first seen is kept as it was then, and once it has a time its
#           next versions are kept like everybody's; or the snapshot says that it needs a time.
# In truth: its first version has no dbt_valid_from, and whatever comes later is compared with that: nothing is later
#           than NULL. The row is never looked at again, whatever becomes of it, and each run is a success. With
#           `hard_deletes: new_record` a row that comes back with its old time ends the version "is deleted" before it
#           began, and two of its versions have the same dbt_scd_id. `strategy: check` is right in both.
# Hurt:     tables whose rows are born without such a time (drafts, rows that another system is yet to stamp) or that
#           got the column later: the history of exactly those stands still, and the newest version, by `dbt_valid_to
#           is null`, is the oldest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-postgres==1.11.0
mkdir models snapshots
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
cat >models/sources.yml <<'YML'
sources:
  - name: crm
    schema: public
    tables: [{ name: task }]
YML
cat >snapshots/snapshots.yml <<'YML'
snapshots:
  - name: by_time
    relation: source('crm', 'task')
    config: { unique_key: id, strategy: timestamp, updated_at: updated_at, hard_deletes: new_record }
  - name: by_check
    relation: source('crm', 'task')
    config: { unique_key: id, strategy: check, check_cols: [title], hard_deletes: new_record }
YML
cat >see.py <<'PY'
import psycopg2
from dbt.cli.main import dbtRunner

database = psycopg2.connect("")
database.autocommit = True
cursor = database.cursor()
dbt = dbtRunner()
for edit in [
    """create table task (id integer primary key, title text, updated_at timestamptz);
       insert into task values (1, 'drafted', null), (2, 'drafted', '2026-01-01')""",
    "update task set title = 'sent', updated_at = '2026-02-01'",
    "update task set title = 'done', updated_at = '2026-03-01' where id = 1; delete from task where id = 2",
    "insert into task values (2, 'sent', '2026-02-01')",
]:
    cursor.execute(edit)
    assert dbt.invoke(["--quiet", "snapshot", "--profiles-dir", "."]).success


def see(expected, query):
    cursor.execute(query)
    seen = cursor.fetchall()
    print(query, *seen, sep="\n  ")
    assert seen == expected, seen


cursor.execute("select title from task where id = 1")
print("task 1 is now:", *cursor.fetchone())
see([("drafted", None)], "select title, dbt_valid_from from by_time where id = 1")
see([("drafted",), ("sent",), ("done",)], "select title from by_check where id = 1 order by dbt_valid_from")
ended = "dbt_valid_to < dbt_valid_from as ends_before_it_begins"
see([("sent", "True", True)], f"select title, dbt_is_deleted, {ended} from by_time where dbt_valid_to < dbt_valid_from")
see([], f"select title, dbt_is_deleted, {ended} from by_check where dbt_valid_to < dbt_valid_from")
see([(2,)], "select count(*) from by_time group by dbt_scd_id having count(*) > 1")
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py 2>python.log || { cat python.log; exit 1; }
