#!/bin/sh
# Software: ibis-framework 12.0.0 with pandas 3.1.1 and psycopg 3.3.9 (PyPI), on Postgres 18.4.
# A guess:  what execute() answers for decimal columns are the numbers that the database computed, exact: their type
#           is decimal, and Python's is Decimal.
# In truth: each passes through a float, and then through the type that ibis expects, which for a product is that of one
#           factor: 0.0123 * 0.0045 of two numeric(20,4) is 0.0001, where Postgres answers 0.00005535; a sum of
#           1234567890123456.7891 has 8000 behind its point. to_pyarrow() gives the sum
#           exactly, and refuses the product.
# Hurt:     prices times rates, commissions, shares: each row is off, small ones by their whole amount.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'ibis-framework[postgres]==12.0.0' 'psycopg[binary]==3.3.9' packaging==26.4 \
  pandas==3.1.1 pyarrow==26.0.1
cat >see.py <<'PY'
import os
import warnings
from decimal import Decimal

import ibis
import psycopg

warnings.simplefilter("ignore")
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("create table line (price numeric(20,4), rate numeric(20,4), big numeric(20,4))")
    connection.execute("insert into line values (0.0123, 0.0045, 1234567890123456.7891)")
    computed = connection.execute("select price * rate, sum(big) over () from line").fetchone()
    print("Postgres answers", *computed)

env = os.environ
database = ibis.postgres.connect(
    host=env["PGHOST"], port=int(env["PGPORT"]), user=env["PGUSER"], password=env["PGPASSWORD"], database=env["PGDATABASE"]
)
line = database.table("line")
product, total = (line.price * line.rate).name("product"), line.big.sum()
seen = product.execute()[0], total.execute()
print("execute() answers", *seen, "of the types", product.type(), total.type())
assert computed == (Decimal("0.00005535"), Decimal("1234567890123456.7891")), computed
assert seen == (Decimal("0.0001"), Decimal("1234567890123456.8")), seen
print("to_pyarrow() answers", total.to_pyarrow())
assert total.to_pyarrow().as_py() == computed[1]
try:
    product.to_pyarrow()
    raise SystemExit("to_pyarrow() took the product")
except Exception as error:
    print("and of the product:", error)
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
