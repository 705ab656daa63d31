#!/bin/sh
# Software: lancedb 0.40.0 with pyarrow 26.0.1 (PyPI), tables in a folder.
# A guess:  a scalar index makes a filter faster and changes nothing of its answer.
# In truth: `not (opted_in is true)` finds those who said no and those who were never asked; after an index is made on
#           the column (BTree or Bitmap) it finds only those who said no, as a search, in count_rows(), and in
#           delete(), which leaves the others. So with `(opted_in is true) = false`, with any of the two under an
#           `and`, and with `not ((…) is true)` around another comparison. `opted_in is not true`, which says the
#           same, finds all, index or not.
# Hurt:     filters that a program puts together by a `not` around a condition: they are right while the table is
#           small and lose the rows without a value on the day that somebody makes it faster.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check lancedb==0.40.0 pyarrow==26.0.1
cat >see.py <<'PY'
import lancedb
import pyarrow as pa
from lancedb.index import Bitmap, BTree

people = pa.table({"name": ["yes", "no", "never asked"], "opted_in": [True, False, None]})
database = lancedb.connect("tables")
plain = database.create_table("plain", people)
indexed = {kind.__name__: database.create_table(kind.__name__, people) for kind in (Bitmap, BTree)}
for kind in (Bitmap, BTree):
    indexed[kind.__name__].create_index("opted_in", config=kind())


def names(table, condition):
    found = [row["name"] for row in table.search().where(condition).to_list()]
    assert table.count_rows(condition) == len(found), condition
    return sorted(found)


ALL, LOST = ["never asked", "no"], ["no"]
for condition, with_index in [
    ("not (opted_in is true)", LOST),
    ("not (opted_in is true) and name <> 'Kim'", LOST),
    ("(opted_in is true) = false", LOST),
    ("not ((opted_in = true) is true)", LOST),
    ("opted_in is not true", ALL),
    ("not coalesce(opted_in, false)", ALL),
]:
    seen = {"no index": names(plain, condition), **{kind: names(table, condition) for kind, table in indexed.items()}}
    print(f"{condition}: {seen}")
    assert seen == {"no index": ALL, "Bitmap": with_index, "BTree": with_index}, (condition, seen)
for table, left in [(plain, ["yes"]), *((table, ["yes", "never asked"]) for table in indexed.values())]:
    table.delete("not (opted_in is true)")
    print("left after the delete:", table.to_arrow()["name"].to_pylist())
    assert table.to_arrow()["name"].to_pylist() == left
PY
python/bin/python see.py 2>python.log || { cat python.log; exit 1; }
