#!/bin/sh
# Software: singer-sdk 0.54.9 (PyPI), of which newer taps are made.
# A guess:  a field that is declared boolean and comes as the text "false" becomes false, stays a text, or is refused.
# In truth: a value of such a field is compared with 0, and what is not 0 is true: "false", "0", "no" and the empty
#           text are all written as true, as is an empty list. No warning, and the record fits its schema afterwards, so
#           that no target can notice.
# Hurt:     loads from APIs and files that give booleans as texts, as HubSpot gives its properties and every CSV its
#           columns: all who opted out have opted in, all deals are closed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check singer-sdk==0.54.9
cat >see.py <<'PY'
import contextlib
import io
import json

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

GIVEN = [True, False, None, 1, 0, "true", "false", "0", "no", "", []]


class Contacts(Stream):
    name = "contact"
    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType), th.Property("opted_in", th.BooleanType)
    ).to_dict()

    def get_records(self, context):
        yield from ({"id": id, "opted_in": value} for id, value in enumerate(GIVEN))


class TapCrm(Tap):
    name = "tap-crm"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        return [Contacts(self)]


output = io.TextIOWrapper(io.BytesIO())
with contextlib.redirect_stdout(output):
    TapCrm().sync_all()
    output.flush()
messages = [json.loads(line) for line in output.buffer.getvalue().splitlines()]
seen = [message["record"]["opted_in"] for message in messages if message["type"] == "RECORD"]
for given, written in zip(GIVEN, seen, strict=True):
    print(f"{given!r:8} is written as {written}")
assert seen == [True, False, None, True, False, *[True] * 6], seen
PY
python/bin/python see.py 2>python.log || { cat python.log; exit 1; }
# Nothing is said of it.
! grep -i 'warn\|bool\|opted_in' python.log
