#!/bin/sh
# Software: perspective-python 5.6.1 (PyPI), tables made of rows, as a query or an API gives them.
# A guess:  a text stays a text, or becomes the number that it says; a number that does not fit makes the column one
#           of floats, as it does where it is no text; a missing value stays missing.
# In truth: a column whose first value is a text of digits is one of 32-bit integers: "3000000000" is -1294967296
#           without a word, "0123" is 123. When a later value is no number, the column becomes text, but of the bent
#           numbers: the telephone number "+4790000000" is now the text "495032704". In a column of floats "n/a" is 0
#           and not missing. And where whole numbers are followed by a fraction, what was missing before it becomes 0:
#           5, nothing, 2.5 is 5, 0, 2.5.
# Hurt:     bigint, count(*) and sums, which drivers for JavaScript give as texts; keys, codes and telephone numbers;
#           averages and counts over fields that not everybody fills in. With a schema in place of a guess all of them
#           are right.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check perspective-python==5.6.1
cat >see.py <<'PY'
import perspective

client = perspective.Server().new_local_client()


def see(given, kind, expected):
    table = client.table([{"id": id, "value": value} for id, value in enumerate(given)])
    seen = table.schema()["value"], table.view().to_columns()["value"]
    print(given, "->", *seen)
    assert seen == (kind, expected), seen


see(["10", "3000000000"], "integer", [10, -1294967296])
see([10, 3000000000], "float", [10, 3000000000])
see(["0123", "0456"], "integer", [123, 456])
see(["0123", "K-12"], "string", ["123", "K-12"])
see(["+4790000000", "none"], "string", ["495032704", "none"])
see(["12.5", "n/a", None], "float", [12.5, 0, None])
see([5, None, 7], "integer", [5, None, 7])
see([5, None, 2.5], "float", [5, 0, 2.5])

table = client.table({"amount": "float", "phone": "string"})
table.update([{"amount": 5, "phone": "+4790000000"}, {"amount": None, "phone": "0123"}, {"amount": 2.5, "phone": None}])
seen = table.view().to_columns()
print("with a schema:", seen)
assert seen == {"amount": [5, None, 2.5], "phone": ["+4790000000", "0123", None]}, seen
PY
python/bin/python see.py 2>python.log || { cat python.log; exit 1; }
