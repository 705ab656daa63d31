#!/bin/sh
# Software: dlt 1.31.0 with psycopg2-binary 2.9.13 (PyPI), on Postgres 18.4 and a server on this machine.
# A guess:  an incremental cursor over a field that dlt itself recognises as an instant, and stores as
#           timestamptz, is compared as an instant.
# In truth: it is compared as the text that came. A commit at 10:30+01:00 is later than one at
#           18:00+09:00, and its text is the smaller one: it is dropped from the page that has it, the run is
#           a success, and every run after it drops it too. Where a server leaves out fractions that
#           are zero (Java and Python do), half a second past the full second is before it.
# Hurt:     incremental reads of APIs that answer with the author's own offset (commits of Git hosts),
#           or with the shop's (an hour each autumn), or with as many decimals as there are.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'dlt[postgres]==1.31.0' \
  psycopg2-binary==2.9.13
cat >see.py <<'PY'
import json
import os
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import dlt
from dlt.sources.rest_api import rest_api_source


class Handler(BaseHTTPRequestHandler):
    rows = []

    def do_GET(self):
        body = json.dumps(Handler.rows).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
Thread(target=server.serve_forever, daemon=True).start()


def see(name, *pages):
    pipeline = dlt.pipeline(
        name,
        pipelines_dir="pipelines",
        destination=dlt.destinations.postgres(os.environ["DATABASE_URL"]),
        dataset_name=name,
    )
    for page in pages:
        Handler.rows = [{"id": id, "at": at} for id, at in enumerate(page, 1)]
        endpoint = {
            "path": "commits",
            "paginator": "single_page",
            "params": {"since": "{incremental.start_value}"},
            "incremental": {"cursor_path": "at", "initial_value": "2026-01-01T00:00:00+00:00"},
        }
        resource = {"name": "commits", "primary_key": "id", "endpoint": endpoint}
        base = {"base_url": f"http://127.0.0.1:{server.server_port}/"}
        source = rest_api_source({"client": base, "resources": [resource]})
        pipeline.run(source).raise_on_failed_jobs()
    with pipeline.sql_client() as client:
        stored = client.execute_sql("select at from commits order by 1")
    last = [datetime.fromisoformat(at) for at in pages[-1]]
    lost = [at.isoformat() for at in last if at not in [one for (one,) in stored]]
    print(name, "stored", [at.isoformat() for (at,) in stored], "lost", lost)
    return lost


first = "2026-11-30T18:00:00+09:00"
assert len(see("authors", [first], [first, "2026-11-30T10:30:00+01:00"])) == 1
# The later of the repeated hour's.
first = "2026-11-01T01:50:00-04:00"
assert len(see("autumn", [first], [first, "2026-11-01T01:10:00-05:00"])) == 1
first = "2026-11-30T10:00:00Z"
assert len(see("fractions", [first], [first, "2026-11-30T10:00:00.500Z"])) == 1
PY
RUNTIME__DLTHUB_TELEMETRY=false node "$here/postgres.mjs" "$work" python/bin/python see.py
