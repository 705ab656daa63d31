#!/bin/sh
# Software: pyiceberg 0.12.0 with pyarrow 26.0.1 (PyPI), tables in a folder.
# A guess:  a filter "n > 1.5" on a column of whole numbers compares numbers, or is refused: a float as a
#           GreaterThan's value is, and so is a fraction of too many places for a decimal column.
# In truth: in a text the fraction is rounded to a whole number first, half to even: "n > 1.5" becomes n > 2
#           and leaves 2 out, "n <= 1.5" has 2 among them, and "n = 2.5" finds 2. In quotes ('1.5') it
#           is cut instead. delete() and overwrite() take the same filters: "n >= 2.5" deletes 2.
# Hurt:     who reads above or deletes below a computed bound; the rows at the edge are the wrong ones.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'pyiceberg[sql-sqlite]==0.12.0' pyarrow==26.0.1
cat >see.py <<'PY'
import os
import warnings

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import GreaterThan

warnings.simplefilter("ignore")
here = os.getcwd()
catalog = SqlCatalog("see", uri=f"sqlite:///{here}/catalog.db", warehouse=f"file://{here}")
catalog.create_namespace("see")
rows = pa.table({"n": [0, 1, 2, 3]})


def made(name):
    table = catalog.create_table(f"see.{name}", schema=rows.schema)
    table.append(rows)
    return table


def held(table, *filters):
    return sorted(table.scan(*filters).to_arrow()["n"].to_pylist())


table = made("read")
for condition, expected in {
    "n > 1.5": [3],
    "n <= 1.5": [0, 1, 2],
    "n < 0.5": [],
    "n = 2.5": [2],
    "n > '1.5'": [2, 3],
}.items():
    print(f"{condition:10} reads {held(table, condition)}")
    assert held(table, condition) == expected
try:
    held(table, GreaterThan("n", 1.5))
    raise SystemExit("a float was compared")
except TypeError as error:
    print(f"GreaterThan('n', 1.5) is an error: {error}")

table = made("deleted")
table.delete("n >= 2.5")
print("after delete('n >= 2.5'):", held(table))
assert held(table) == [0, 1]
table = made("replaced")
table.overwrite(pa.table({"n": [30]}), overwrite_filter="n >= 2.5")
print("after overwrite(…, 'n >= 2.5'):", held(table))
assert held(table) == [0, 1, 30]
PY
env/bin/python see.py
