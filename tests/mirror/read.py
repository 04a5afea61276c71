"""Reads a mirror by DuckDB and pandas, and prints what each read as JSON."""

import json
import sys
from pathlib import Path

import duckdb
import pandas

CURRENT = Path(sys.argv[1])
BY_YEAR = ["city", "plant", "months", "series"]
KEYS = {
    "city": ["year", "city", "country"],
    "plant": ["year", "firm", "city", "country"],
    "months": ["year", "month", "span", "city", "country"],
    "series": ["year", "month", "span", "level", "key"],
}
GROWTH = {"plant": "local_growth"}


def figures(values):
    return [None if value is None or value != value else float(value) for value in values]


def by_duckdb(table):
    source = f"'{CURRENT}/{table}/*.parquet'"
    growth, keys = GROWTH.get(table, "growth"), ", ".join(KEYS[table])
    rows = duckdb.sql(f"SELECT {growth}, {keys} FROM {source} ORDER BY {keys}").fetchall()
    (value,) = duckdb.sql(f"SELECT sum(export_value) FROM {source}").fetchone()
    types = duckdb.sql(f"DESCRIBE SELECT * FROM {source}").fetchall()
    return {
        "rows": len(rows),
        "value": str(value),
        "growth": figures(row[0] for row in rows),
        "types": {name: kind for name, kind, *_ in types},
    }


def by_pandas(table):
    files = sorted((CURRENT / table).glob("*.parquet"))
    frame = pandas.concat([pandas.read_parquet(path) for path in files])
    frame = frame.sort_values(KEYS[table], kind="stable")
    return {
        "rows": len(frame),
        "value": str(frame["export_value"].sum()),
        "growth": figures(frame[GROWTH.get(table, "growth")]),
    }


found = {"duckdb": {}, "pandas": {}}
for table in BY_YEAR:
    found["duckdb"][table] = by_duckdb(table)
    found["pandas"][table] = by_pandas(table)
for table in ["files", "estimates"]:
    path = str(CURRENT / f"{table}.parquet")
    (n_rows,) = duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchone()
    found["duckdb"][table] = {"rows": n_rows}
    found["pandas"][table] = {"rows": len(pandas.read_parquet(path))}
print(json.dumps(found))
