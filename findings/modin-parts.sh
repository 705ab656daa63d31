#!/bin/sh
# Software: Modin 0.37.1 (dask 2026.8.0, pandas 2.3.3, PyPI), on Postgres 18.4.
# A guess:  read_sql() of a table that nobody writes to is the table; parts by LIMIT and OFFSET without an order could
#           at worst come in another order, since a scan begins at the first page.
# In truth: Modin cuts the query into parts by LIMIT and OFFSET, in no order. A scan of a table of more than a quarter
#           of shared_buffers (32 MB as Postgres comes) begins where the last one stopped, also when that one ended
#           long ago at its LIMIT: each part begins somewhere else. Of 210,000 rows in three parts as many come, but
#           a third is there twice and a third is missing. len() is right, sums are not. With `order by` in the query all
#           rows are there. What pages through a large table by hand in this way loses the same rows, unless it
#           says `set synchronize_seqscans = off`.
# Hurt:     whoever reads a large table so: another sum in each reading, though nothing changed. In a test with a small
#           table it is always right.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'modin[dask]==0.37.1' dask==2026.8.0 distributed==2026.8.0 \
  pandas==2.3.3 sqlalchemy==2.1.9 'psycopg[binary]==3.3.9'
cat >see.py <<'PY'
import os

os.environ["MODIN_ENGINE"] = "dask"


def main():
    import modin.pandas as modin
    import psycopg
    from distributed import Client
    from modin.config import NPartitions

    url = os.environ["DATABASE_URL"]
    rows = 210_000
    database = psycopg.connect(url, autocommit=True)
    for table, width in [("small", 40), ("large", 400)]:
        database.execute(
            f"create table {table} as select n as id, repeat('x', {width}) as note from generate_series(1, {rows}) as n"
        )
        database.execute(f"vacuum analyze {table}")
        print(table, *database.execute(f"select pg_size_pretty(pg_table_size('{table}'))").fetchone())

    def by_hand(table):
        size = rows // 3
        parts = [database.execute(f"select id from {table} limit {size} offset {size * part}") for part in range(3)]
        return len({id for part in parts for (id,) in part.fetchall()})

    def by_hand_alone(table):
        database.execute("set synchronize_seqscans = off")
        return by_hand(table)

    client = Client(n_workers=1, threads_per_worker=1, dashboard_address=None)
    address = url.replace("postgresql://", "postgresql+psycopg://")

    def by_modin(query):
        NPartitions.put(3)  # as on a machine with three cores; one worker does them one after the other
        frame = modin.read_sql(query, address)
        return len(frame), frame["id"].nunique()

    seen = {
        "small, by hand": by_hand("small"),
        "large, by hand": by_hand("large"),
        "large, by hand, not synchronized": by_hand_alone("large"),
        "small, by Modin": by_modin("select id, note from small"),
        "large, by Modin": by_modin("select id, note from large"),
        "large, in order, by Modin": by_modin("select id, note from large order by id"),
    }
    client.close()
    for name, count in seen.items():
        print(f"{name}: {count}")
    assert seen["small, by hand"] == seen["large, by hand, not synchronized"] == rows, seen
    assert seen["large, by hand"] < 0.7 * rows, seen
    assert seen["small, by Modin"] == seen["large, in order, by Modin"] == (rows, rows), seen
    count, different = seen["large, by Modin"]
    assert count == rows and different < 0.7 * rows, seen


if __name__ == "__main__":
    main()
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py 2>python.log || { cat python.log; exit 1; }
