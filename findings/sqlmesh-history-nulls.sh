#!/bin/sh
# Software: SQLMesh 0.236.4 (PyPI) with DuckDB 1.5.6: models of kind SCD_TYPE_2_BY_TIME and
#           SCD_TYPE_2_BY_COLUMN, its two ways to keep every version of a row.
# A guess:  a version that ended stays as it was, a version is what the row was then.
# In truth: when a version ends, each of its NULLs is filled with what the row holds now. The deal
#           that had no stage and no owner until Kim won it has been Won, and Kim's, all along.
# Hurt:     everyone who asks that history when something was first set, how long it was missing, or
#           who had it before: no query of it can tell a value from one that came later.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check sqlmesh==0.236.4 duckdb==1.5.6
mkdir -p project/models
cat >project/config.yaml <<'YAML'
gateways:
  local:
    connection: {type: duckdb, database: warehouse.duckdb}
default_gateway: local
model_defaults: {dialect: duckdb, start: 2026-01-01}
YAML
cat >project/models/by_time.sql <<'SQL'
MODEL (
  name past.by_time,
  kind SCD_TYPE_2_BY_TIME (unique_key id, updated_at_name updated_at),
  cron '@daily'
);
SELECT id::TEXT AS id, stage::TEXT AS stage, owner::TEXT AS owner, updated_at::TIMESTAMP AS updated_at
  FROM raw.deal
SQL
cat >project/models/by_column.sql <<'SQL'
MODEL (
  name past.by_column,
  kind SCD_TYPE_2_BY_COLUMN (unique_key id, columns [stage, owner]),
  cron '@daily'
);
SELECT id::TEXT AS id, stage::TEXT AS stage, owner::TEXT AS owner FROM raw.deal
SQL
cat >see.py <<'PY'
import os

os.environ["SQLMESH__DISABLE_ANONYMIZED_ANALYTICS"] = "true"
os.chdir("project")
from sqlmesh import Context

context = Context(paths=".")
run = context.engine_adapter.execute
run("CREATE SCHEMA raw")
run("CREATE TABLE raw.deal (id TEXT, stage TEXT, owner TEXT, updated_at TIMESTAMP)")
run("INSERT INTO raw.deal VALUES ('d1', NULL, NULL, '2025-12-01'), ('d2', 'Open', NULL, '2025-12-01')")
context.plan(auto_apply=True, no_prompts=True, execution_time="2026-01-02")
run("UPDATE raw.deal SET stage = 'Won', owner = 'Kim', updated_at = '2026-01-02 12:00'")
context.run(execution_time="2026-01-03")

for model in ("by_time", "by_column"):
    rows = context.fetchdf(
        f"SELECT id, stage, owner, valid_to IS NULL AS stands FROM past.{model} ORDER BY id, valid_from"
    )
    seen = list(rows.itertuples(index=False, name=None))
    print(model, *seen, sep="\n  ")
    assert seen == [
        ("d1", "Won", "Kim", False),  # it was NULL, NULL
        ("d1", "Won", "Kim", True),
        ("d2", "Open", "Kim", False),  # it was 'Open', NULL
        ("d2", "Won", "Kim", True),
    ], seen
PY
env/bin/python see.py >seen 2>&1 || {
  cat seen
  exit 1
}
grep -A4 '^by_' seen
