#!/bin/sh
# Software: deltalake 1.6.6 with pyarrow 26.0.1 (PyPI).
# A guess:  delete("n >= 1.5") deletes the rows that a select with the same condition shows; a fraction
#           that is appended to a column of whole numbers is an error, as a Decimal of another scale is.
# In truth: in delete(), the fraction is cut to the column's type before it is compared: the condition
#           becomes n >= 1, and the row with 1 is deleted too; "n = 1.5", which no whole number is,
#           deletes it as well. So with a Decimal of two places: "amount = 1.234" deletes 1.23. The package's own
#           QueryBuilder answers the same conditions rightly. Appended or merged, 1.75 is stored as 1.
# Hurt:     who looks with a select first and then deletes; thresholds that are computed (an average, a
#           quantile, a price per piece); loads of a column that was whole until today.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check deltalake==1.6.6 pyarrow==26.0.1
cat >see.py <<'PY'
from decimal import Decimal

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake

tables = 0


def made(values, type):
    global tables
    tables += 1
    write_deltalake(f"table{tables}", pa.table({"n": pa.array(values, type)}))
    return DeltaTable(f"table{tables}")


def held(table):
    return sorted(pa.table(table.to_pyarrow_table())["n"].to_pylist())


def seen(values, type, condition):
    table = made(values, type)
    query = QueryBuilder().register("t", table).execute(f"select n from t where {condition}")
    selected = sorted(pa.table(query.read_all())["n"].to_pylist())
    table.delete(condition)
    deleted = [value for value in values if value not in held(table)]
    print(f"{condition:20} selects {[*map(str, selected)]}, deletes {[*map(str, deleted)]}")
    return selected, deleted


whole = [0, 1, 2, 3]
assert seen(whole, pa.int64(), "n >= 1.5") == ([2, 3], [1, 2, 3])
assert seen(whole, pa.int64(), "n = 1.5") == ([], [1])
assert seen(whole, pa.int64(), "n < 0.5") == ([0], [])
assert seen(whole, pa.int64(), "n >= 3.0 / 2") == ([2, 3], [2, 3])  # an expression is not cut
cents = [Decimal("1.23"), Decimal("1.24")]
assert seen(cents, pa.decimal128(10, 2), "n = 1.234") == ([], cents[:1])

table = made([1], pa.int64())
write_deltalake(table.table_uri, pa.table({"n": [1.75]}), mode="append")
print("1 and an appended 1.75 are", held(DeltaTable(table.table_uri)))
assert held(DeltaTable(table.table_uri)) == [1, 1]
table = made([1], pa.int64())
merge = table.merge(pa.table({"n": [2.75]}), "t.n = s.n", source_alias="s", target_alias="t")
merge.when_not_matched_insert_all().execute()
print("1 and a merged 2.75 are", held(table))
assert held(table) == [1, 2]
table = made(cents, pa.decimal128(10, 2))
try:
    late = pa.table({"n": pa.array([Decimal("1.2345")], pa.decimal128(20, 4))})
    write_deltalake(table.table_uri, late, mode="append")
    raise SystemExit("four places were appended to two")
except Exception as error:
    print(f"1.2345 in two places is a {type(error).__name__}")
    assert type(error).__name__ == "SchemaMismatchError", error
PY
env/bin/python see.py
