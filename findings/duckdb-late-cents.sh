#!/bin/sh
# Software: duckdb 2.0.0 (PyPI).
# A guess:  read_csv() and read_json() look at the first rows to name the types; a later value that
#           does not fit is an error that names the line, as it is for the text "x".
# In truth: a column whose first 20,480 values are whole is a BIGINT, and later fractions are bent
#           into it without a word: 1.75 becomes 2 and 0.49 becomes 0, in CSV and JSON alike (in JSON
#           true becomes 1 as well). Only what is no number at all raises. In values of the type
#           JSON, digits beyond a double are lost as soon as they are parsed, before a cast to
#           DECIMAL can ask for them.
# Hurt:     sums over exports in which the cents, or the first small amount, come late in the file.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0
cat >see.py <<'PY'
import json

import duckdb


def write(name, rows):
    with open(name, "w") as file:
        if name.endswith(".csv"):
            file.write("id,amount\n")
            file.writelines(f"{number},{value}\n" for number, value in rows)
        else:
            file.writelines(json.dumps({"id": id, "amount": value}) + "\n" for id, value in rows)


def read(name):
    query = f"select typeof(amount), amount from '{name}' where id >= 30000 order by id"
    rows = duckdb.connect().execute(query).fetchall()
    print(f"{name}: 1.75 and 0.49 are", rows)
    return rows


whole = [(number, 1) for number in range(30_000)]
for name in ("late.csv", "late.json"):
    write(name, whole + [(30_000, 1.75), (30_001, 0.49)])
    assert read(name) == [("BIGINT", 2), ("BIGINT", 0)]
    write(name, whole + [(30_000, "x")])
    try:
        read(name)
        raise AssertionError("a text was read as a number")
    except duckdb.Error as error:
        print(f"{name}: x raises", str(error).splitlines()[0])

write("early.csv", [(0, 0.5)] + whole + [(30_000, 1.75)])
assert read("early.csv") == [("DOUBLE", 1.75)]

number = '{"n": 1234567890123456.7891}'
(digits,) = duckdb.execute(f"select (json '{number}' -> 'n')::decimal(20,4)::varchar").fetchone()
print(number, "as JSON and then as decimal(20,4):", digits)
assert digits == "1234567890123456.8000"
PY
python/bin/python see.py
