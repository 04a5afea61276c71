"""Whether two folders hold the same city.parquet and plant.parquet.

    compare.py LEFT RIGHT

Rows are matched by key. Counts and values must be equal, floats within 1e-9, absent where absent.
Prints JSON with the number of rows; exits 1 and names columns with a first key where they differ.
"""

import json
import sys

import duckdb

KEYS = {"city": ["year", "city", "country"], "plant": ["year", "firm", "city", "country"]}


def differences(base, table, left, right):
    """The columns that differ, each with how many rows do and the greatest difference."""
    names = {}
    for side, folder in [("l", left), ("r", right)]:
        base.execute(f"CREATE OR REPLACE VIEW {side} AS FROM '{folder}/{table}.parquet'")
        described = base.execute(f"DESCRIBE {side}").fetchall()
        names[side] = {name: kind for name, kind, *_ in described}
    if set(names["l"]) != set(names["r"]):
        yield f"{table}: columns {sorted(set(names['l']) ^ set(names['r']))} are on one side only"
        return
    key = KEYS[table]
    for at, n in base.execute(
        f"SELECT side, count(*) FROM (SELECT 'left' side, * FROM l ANTI JOIN r USING ({','.join(key)})"
        f" UNION ALL BY NAME SELECT 'right' side, * FROM r ANTI JOIN l USING ({','.join(key)}))"
        " GROUP BY side"
    ).fetchall():
        yield f"{table}: {n} rows are on the {at} only"
    for name, kind in names["l"].items():
        if name in key:
            continue
        same = f"l.{name} IS NOT DISTINCT FROM r.{name}"
        if kind == "DOUBLE":
            same = f"({same} OR coalesce(abs(l.{name} - r.{name}) <= 1e-9, false))"
        n, example = base.execute(
            f"SELECT count(*), any_value([{','.join(f'l.{k}::VARCHAR' for k in key)},"
            f" l.{name}::VARCHAR, r.{name}::VARCHAR]) FROM l JOIN r USING ({','.join(key)})"
            f" WHERE NOT ({same})"
        ).fetchone()
        if n:
            yield f"{table}.{name}: {n} rows differ, one of them {example}"


def main(left, right):
    base = duckdb.connect()
    found, rows = [], {}
    for table in KEYS:
        found += differences(base, table, left, right)
        (rows[table],) = base.execute(f"SELECT count(*) FROM '{left}/{table}.parquet'").fetchone()
    for line in found:
        print(line, file=sys.stderr)
    print(json.dumps({"rows": rows, "same": not found}))
    return 1 if found or not all(rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
