"""Both tables from the monthly CSV files in SQL: what an analyst with DuckDB would do instead.

    duckdb_tables.py FEED OUT

Writes OUT/city.parquet and OUT/plant.parquet; prints JSON. Default options, a feed without rejects.
Logs are kept as integers of 1e-12, so that a sum over all cities less one's own part is exact, and
the join of a row with each of its affiliate cities is not needed. One aggregation to annual cells
reads the records; everything else is joins of cells.
"""

import glob
import json
import os
import sys
import time

import duckdb

ANNUAL = """
CREATE TEMP TABLE annual AS
SELECT firm_id AS firm, left(region, 4) AS city, country, (period // 100)::INTEGER AS year,
  sum(value_usd) FILTER (flow = 'E') AS cur,
  sum(value_usd) FILTER (flow = 'E' AND period + 100 <= {last}) AS base_next,
  sum(value_usd) FILTER (flow = 'I') AS import
FROM read_csv({files}, header = true, delim = ',', columns = {{
  'period': 'INTEGER', 'flow': 'VARCHAR', 'firm_id': 'VARCHAR', 'firm_name': 'VARCHAR',
  'region': 'VARCHAR', 'country': 'VARCHAR', 'hs8': 'VARCHAR', 'trade_mode': 'VARCHAR',
  'value_usd': 'DECIMAL(15,2)'}})
WHERE country <> '110'
  AND NOT (contains(firm_name, '进出口') OR contains(firm_name, '经贸') OR contains(firm_name, '贸易')
    OR contains(firm_name, '科贸') OR contains(firm_name, '外经'))
GROUP BY ALL
"""

CELLS = """
CREATE TEMP TABLE cells AS
SELECT firm, city, country, year, (cur * 100)::BIGINT AS cur, (base * 100)::BIGINT AS base,
  (import * 100)::BIGINT AS import,
  CASE WHEN cur > 0 AND base > 0
    THEN round((ln(cur::DOUBLE) - ln(base::DOUBLE)) * 1e12)::BIGINT END AS growth
FROM (
  SELECT coalesce(a.firm, b.firm) AS firm, coalesce(a.city, b.city) AS city,
    coalesce(a.country, b.country) AS country, coalesce(a.year, b.year + 1)::INTEGER AS year,
    greatest(coalesce(a.cur, 0), 0) AS cur, greatest(coalesce(b.base_next, 0), 0) AS base,
    greatest(coalesce(a.import, 0), 0) AS import
  FROM annual a
  FULL JOIN (SELECT * FROM annual WHERE base_next > 0) b
    ON a.firm = b.firm AND a.city = b.city AND a.country = b.country AND a.year = b.year + 1)
WHERE cur > 0 OR base > 0
"""

MARKETS = """
CREATE TEMP TABLE markets AS
SELECT c.*, p.province, p.area_km2 AS area,
  CASE WHEN n > 0 THEN round(s / n)::BIGINT END AS mean_growth,
  CASE WHEN n > 0 THEN round(ln(n / p.area_km2) * 1e12)::BIGINT END AS density
FROM (
  SELECT city, country, year, count(*) FILTER (cur > 0) AS exporters, count(growth) AS n,
    count(*) FILTER (cur > 0 AND base <= 0) AS entrants,
    count(*) FILTER (base > 0 AND cur <= 0) AS exits,
    sum(cur)::BIGINT AS cur, sum(base)::BIGINT AS base, coalesce(sum(growth), 0)::BIGINT AS s
  FROM cells WHERE year >= {first_year} GROUP BY ALL) c
JOIN cities p USING (city)
"""

PROVINCES = """
CREATE TEMP TABLE provinces AS
SELECT province, country, year, sum(s)::BIGINT AS s, sum(n)::BIGINT AS n FROM markets GROUP BY ALL
"""

PLANTS = """
CREATE TEMP TABLE plant_years AS
SELECT firm, city, year, sum(cur)::BIGINT AS cents
FROM cells WHERE cur > 0 GROUP BY firm, city, year
"""

FIRMS = """
CREATE TEMP TABLE firm_years AS
SELECT firm, year, count(*) AS plants, sum(cents)::BIGINT AS cents, max(cents) AS largest
FROM plant_years WHERE year >= {first_year} GROUP BY firm, year HAVING count(*) >= 2
"""

NETWORK = """
CREATE TEMP TABLE network AS
SELECT f.firm, f.year, n.city, p.area_km2 AS area, coalesce(w.cents, 0) AS weight
FROM firm_years f
JOIN (SELECT firm, city, min(year) AS founded FROM plant_years GROUP BY firm, city) n
  ON n.firm = f.firm AND n.founded <= f.year
JOIN cities p ON p.city = n.city
LEFT JOIN plant_years w ON w.firm = f.firm AND w.city = n.city AND w.year = f.year
"""

AFFILIATES = """
CREATE TEMP TABLE affiliates AS
SELECT d.firm, d.year, d.country, sum(m.s)::BIGINT AS s, sum(m.n)::BIGINT AS n,
  sum(t.weight::HUGEINT * m.mean_growth) AS weighted_growth,
  sum(t.weight::HUGEINT * m.density) AS weighted_density,
  sum(t.weight) FILTER (m.n > 0) AS weights
FROM (SELECT DISTINCT firm, year, country FROM cells SEMI JOIN firm_years USING (firm, year)
      WHERE cur > 0) d
JOIN network t USING (firm, year)
JOIN markets m ON m.city = t.city AND m.country = d.country AND m.year = d.year AND m.n > 0
GROUP BY d.firm, d.year, d.country
"""

HISTORY = """
CREATE TEMP TABLE history AS
SELECT firm, city, country, year,
  (lag(year) OVER earlier) IS NOT NULL AS experience,
  coalesce((lag(year) OVER earlier) <> year - 1, true) AS new
FROM cells WHERE cur > 0
WINDOW earlier AS (PARTITION BY firm, city, country ORDER BY year)
"""

MONTHS = "(least({last}, year * 100 + 12) - year * 100)::UTINYINT"

CITY = """
SELECT year::USMALLINT AS year, {months} AS months, city, country, exporters, n AS continuing,
  entrants, exits, (cur::DECIMAL(19,0) / 100)::DECIMAL(19,2) AS export_value,
  (base::DECIMAL(19,0) / 100)::DECIMAL(19,2) AS base_value,
  CASE WHEN n > 0 THEN s / n / 1e12 END AS growth,
  CASE WHEN n > 0 THEN ln(n / area) END AS ln_density
FROM markets
"""

PLANT = """
SELECT year::USMALLINT AS year, {months} AS months, firm, city, country,
  CASE WHEN local_n > 0 THEN local_s / local_n / 1e12 END AS local_growth,
  local_n AS local_exporters,
  CASE WHEN local_n > 0 THEN ln(local_n / area) END AS local_ln_density,
  CASE WHEN affiliate_n > 0 THEN affiliate_s / affiliate_n / 1e12 END AS affiliate_growth,
  CASE WHEN affiliate_n > 0 THEN ln(affiliate_n / affiliate_area) END AS affiliate_ln_density,
  CASE WHEN weights > 0 THEN weighted_growth / weights / 1e12 END AS affiliate_growth_weighted,
  CASE WHEN weights > 0 THEN weighted_density / weights / 1e12 END
    AS affiliate_ln_density_weighted,
  CASE WHEN province_n > 0 THEN province_s / province_n / 1e12 ELSE 0 END AS province_growth,
  CASE WHEN province_n > 0 THEN ln(province_n / province_area) ELSE 0 END AS province_ln_density,
  (cur::DECIMAL(19,0) / 100)::DECIMAL(19,2) AS export_value, ln(cur / 100) AS ln_export,
  ln(1 + import / 100) AS ln_import, experience::UTINYINT AS experience, new::UTINYINT AS new,
  plants, affiliate_cities, affiliate_n AS affiliate_exporters,
  ln(firm_cents / 100) AS ln_firm_export, largest / firm_cents AS largest_plant_share,
  CASE WHEN plant_cents > cur THEN ln((plant_cents - cur) / 100) END AS ln_export_elsewhere
FROM (
  SELECT c.year, c.firm, c.city, c.country, c.cur, c.import, m.area,
    m.s - coalesce(c.growth, 0) AS local_s, m.n - (c.growth IS NOT NULL)::INT AS local_n,
    coalesce(a.s, 0) - m.s AS affiliate_s, coalesce(a.n, 0) - m.n AS affiliate_n,
    a.weighted_growth - CASE WHEN m.n > 0 THEN w.cents::HUGEINT * m.mean_growth ELSE 0 END
      AS weighted_growth,
    a.weighted_density - CASE WHEN m.n > 0 THEN w.cents::HUGEINT * m.density ELSE 0 END
      AS weighted_density,
    coalesce(a.weights - CASE WHEN m.n > 0 THEN w.cents ELSE 0 END, 0) AS weights,
    p.s - m.s AS province_s, p.n - m.n AS province_n, q.area - m.area AS province_area,
    h.experience, h.new, f.plants, f.cents AS firm_cents, f.largest, w.cents AS plant_cents,
    t.area - m.area AS affiliate_area, t.cities - 1 AS affiliate_cities
  FROM cells c
  JOIN firm_years f USING (firm, year)
  JOIN (SELECT firm, year, count(*) AS cities, sum(area) AS area FROM network GROUP BY ALL) t
    USING (firm, year)
  JOIN plant_years w USING (firm, city, year)
  JOIN history h USING (firm, city, country, year)
  JOIN markets m USING (city, country, year)
  JOIN provinces p ON p.province = m.province AND p.country = c.country AND p.year = c.year
  JOIN (SELECT province, sum(area_km2) AS area FROM cities GROUP BY province) q
    ON q.province = m.province
  LEFT JOIN affiliates a ON a.firm = c.firm AND a.year = c.year AND a.country = c.country
  WHERE c.cur > 0)
"""


def main(feed, out):
    files = sorted(glob.glob(os.path.join(feed, "[0-9]" * 6 + "*.csv")))
    periods = [int(os.path.basename(name)[:6]) for name in files]
    first, last = min(periods), max(periods)
    # A year has indicators when the months closed in it are closed in the year before as well.
    first_year = first // 100 + (1 if first % 100 == 1 else 2)
    values = {"files": files, "last": last, "first_year": first_year}
    values["months"] = MONTHS.format(**values)
    base = duckdb.connect()
    base.execute("SET preserve_insertion_order = false")
    base.execute(
        "CREATE TEMP TABLE cities AS SELECT city, province, area_km2::DOUBLE AS area_km2 "
        f"FROM read_csv('{feed}/cities.csv', all_varchar = true)"
    )
    seconds = {}
    steps = [ANNUAL, CELLS, MARKETS, PROVINCES, PLANTS, FIRMS, NETWORK, AFFILIATES, HISTORY]
    for sql in steps:
        start = time.perf_counter()
        base.execute(sql.format(**values))
        seconds[sql.split()[3]] = round(time.perf_counter() - start, 3)
    for table, sql in [("city", CITY), ("plant", PLANT)]:
        start = time.perf_counter()
        path = os.path.join(out, f"{table}.parquet")
        sql = sql.format(**values)
        base.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        seconds[table] = round(time.perf_counter() - start, 3)
    (n_cells,) = base.execute("SELECT count(*) FROM cells").fetchone()
    print(json.dumps({"version": duckdb.__version__, "cells": n_cells, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
