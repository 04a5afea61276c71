"""Both tables from the monthly CSV files with Polars: what an analyst in data frames would do.

    polars_tables.py FEED OUT

Writes OUT/city.parquet and OUT/plant.parquet; prints JSON. Default options, a feed without rejects.
The records are scanned lazily and added up to annual cells by the streaming engine; the rest is
lazy joins of cells. Logs are kept as integers of 1e-12, as in duckdb_tables.py and for its reason.
"""

import glob
import json
import os
import sys
import time

import polars as pl

COLUMNS = {
    "period": pl.Int32,
    "flow": pl.String,
    "firm_id": pl.String,
    "firm_name": pl.String,
    "region": pl.String,
    "country": pl.String,
    "hs8": pl.String,
    "trade_mode": pl.String,
    "value_usd": pl.Float64,
}
INTERMEDIARIES = ["进出口", "经贸", "贸易", "科贸", "外经"]
PLANT = ["firm", "city"]
RELATION = ["firm", "city", "country"]
MARKET = ["city", "country", "year"]


def annual(files, last):
    """Sums of a plant, country and year: exports, those that are the next year's base, imports."""
    period, cents = pl.col("period"), (pl.col("value_usd") * 100).round().cast(pl.Int64)
    exports = pl.col("flow") == "E"
    return (
        pl.scan_csv(files, schema=COLUMNS)
        .filter(
            pl.col("country") != "110",
            ~pl.col("firm_name").str.contains_any(INTERMEDIARIES),
        )
        .select(
            firm="firm_id",
            city=pl.col("region").str.slice(0, 4),
            country="country",
            year=period // 100,
            cur=pl.when(exports).then(cents).otherwise(0),
            base_next=pl.when(exports & (period + 100 <= last)).then(cents).otherwise(0),
            imports=pl.when(~exports).then(cents).otherwise(0),
        )
        .group_by([*RELATION, "year"])
        .agg(pl.col("cur", "base_next", "imports").sum())
    )


def cells_of(sums):
    """Positive cells of each year and its base, with growth."""
    base = sums.filter(pl.col("base_next") > 0).select(
        *RELATION, year=pl.col("year") + 1, base="base_next"
    )
    cur, base_cents = pl.col("cur"), pl.col("base")
    growth = (((cur / 100).log() - (base_cents / 100).log()) * 1e12).round().cast(pl.Int64)
    return (
        sums.select(*RELATION, "year", "cur", "imports")
        .join(base, on=[*RELATION, "year"], how="full", coalesce=True)
        .with_columns(pl.col("cur", "base", "imports").fill_null(0).clip(lower_bound=0))
        .filter((cur > 0) | (base_cents > 0))
        .with_columns(growth=pl.when((cur > 0) & (base_cents > 0)).then(growth))
    )


def markets_of(cells, cities, first_year):
    """S, n and counts of each city, destination and year with indicators."""
    cur, base, n = pl.col("cur"), pl.col("base"), pl.col("n")
    return (
        cells.filter(pl.col("year") >= first_year)
        .group_by(MARKET)
        .agg(
            exporters=(cur > 0).sum(),
            n=pl.col("growth").count(),
            entrants=((cur > 0) & (base <= 0)).sum(),
            exits=((base > 0) & (cur <= 0)).sum(),
            cents=cur.sum(),
            base_cents=base.sum(),
            s=pl.col("growth").sum(),
        )
        .join(cities, on="city")
        .with_columns(pl.col("exporters", "n", "entrants", "exits").cast(pl.Int64))
        .with_columns(
            mean_growth=pl.when(n > 0).then((pl.col("s") / n).round().cast(pl.Int64)).otherwise(0),
            density=pl.when(n > 0)
            .then(((n / pl.col("area")).log() * 1e12).round().cast(pl.Int64))
            .otherwise(0),
        )
    )


def figure(s, n):
    return pl.when(pl.col(n) > 0).then(pl.col(s) / pl.col(n) / 1e12)


def density(n, area):
    return pl.when(pl.col(n) > 0).then((pl.col(n) / pl.col(area)).log())


def value(cents):
    return (pl.col(cents).cast(pl.Decimal(21, 2)) / 100).cast(pl.Decimal(19, 2))


def months(last):
    return pl.min_horizontal(pl.lit(last), pl.col("year") * 100 + 12) - pl.col("year") * 100


def city_table(markets, last):
    return markets.select(
        "year",
        "city",
        "country",
        "exporters",
        "entrants",
        "exits",
        months=months(last),
        continuing="n",
        export_value=value("cents"),
        base_value=value("base_cents"),
        growth=figure("s", "n"),
        ln_density=density("n", "area"),
    )


def plant_table(cells, markets, cities, first_year, last):
    exporting = cells.filter(pl.col("cur") > 0)
    plants = exporting.group_by([*PLANT, "year"]).agg(plant_cents=pl.col("cur").sum())
    firms = (
        plants.filter(pl.col("year") >= first_year)
        .group_by("firm", "year")
        .agg(
            plants=pl.len().cast(pl.Int64),
            firm_cents=pl.col("plant_cents").sum(),
            largest=pl.col("plant_cents").max(),
        )
        .filter(pl.col("plants") >= 2)
    )
    founded = plants.group_by(PLANT).agg(founded=pl.col("year").min())
    network = (
        firms.select("firm", "year")
        .join(founded, on="firm")
        .filter(pl.col("founded") <= pl.col("year"))
        .join(cities.select("city", "area"), on="city")
        .join(plants, on=[*PLANT, "year"], how="left")
        .with_columns(weight=pl.col("plant_cents").fill_null(0))
    )
    networks = network.group_by("firm", "year").agg(
        network_cities=pl.len().cast(pl.Int64), network_area=pl.col("area").sum()
    )
    weight = pl.col("weight").cast(pl.Int128)
    affiliates = (
        exporting.join(firms, on=["firm", "year"], how="semi")
        .select("firm", "year", "country")
        .unique()
        .join(network.select("firm", "year", "city", "weight"), on=["firm", "year"])
        .join(
            markets.filter(pl.col("n") > 0).select(*MARKET, "s", "n", "mean_growth", "density"),
            on=MARKET,
        )
        .group_by("firm", "year", "country")
        .agg(
            all_s=pl.col("s").sum(),
            all_n=pl.col("n").sum(),
            all_weighted_growth=(weight * pl.col("mean_growth").cast(pl.Int128)).sum(),
            all_weighted_density=(weight * pl.col("density").cast(pl.Int128)).sum(),
            all_weights=pl.col("weight").sum(),
        )
    )
    provinces = markets.group_by("province", "country", "year").agg(
        all_province_s=pl.col("s").sum(), all_province_n=pl.col("n").sum()
    )
    province_areas = cities.group_by("province").agg(all_province_area=pl.col("area").sum())
    history = exporting.sort([*RELATION, "year"]).select(
        *RELATION, "year", before=pl.col("year").shift(1).over(RELATION)
    )
    own_weight = pl.when(pl.col("n") > 0).then(pl.col("plant_cents")).otherwise(0)
    return (
        exporting.join(firms, on=["firm", "year"])
        .join(networks, on=["firm", "year"])
        .join(plants, on=[*PLANT, "year"])
        .join(history, on=[*RELATION, "year"])
        .join(markets.drop("cents", "base_cents", "exporters"), on=MARKET)
        .join(provinces, on=["province", "country", "year"])
        .join(province_areas, on="province")
        .join(affiliates, on=["firm", "year", "country"], how="left")
        .with_columns(pl.col("^all_.*$").fill_null(0))
        .with_columns(
            local_s=pl.col("s") - pl.col("growth").fill_null(0),
            local_n=pl.col("n") - pl.col("growth").is_not_null().cast(pl.Int64),
            affiliate_s=pl.col("all_s") - pl.col("s"),
            affiliate_n=pl.col("all_n") - pl.col("n"),
            affiliate_area=pl.col("network_area") - pl.col("area"),
            weighted_growth=pl.col("all_weighted_growth")
            - own_weight.cast(pl.Int128) * pl.col("mean_growth").cast(pl.Int128),
            weighted_density=pl.col("all_weighted_density")
            - own_weight.cast(pl.Int128) * pl.col("density").cast(pl.Int128),
            weights=pl.col("all_weights") - own_weight,
            province_s=pl.col("all_province_s") - pl.col("s"),
            province_n=pl.col("all_province_n") - pl.col("n"),
            province_area=pl.col("all_province_area") - pl.col("area"),
            elsewhere=pl.col("plant_cents") - pl.col("cur"),
        )
        .select(
            "year",
            *RELATION,
            "plants",
            months=months(last),
            local_growth=figure("local_s", "local_n"),
            local_exporters="local_n",
            local_ln_density=density("local_n", "area"),
            affiliate_growth=figure("affiliate_s", "affiliate_n"),
            affiliate_ln_density=density("affiliate_n", "affiliate_area"),
            affiliate_growth_weighted=figure("weighted_growth", "weights"),
            affiliate_ln_density_weighted=figure("weighted_density", "weights"),
            province_growth=figure("province_s", "province_n").otherwise(0.0),
            province_ln_density=density("province_n", "province_area").otherwise(0.0),
            export_value=value("cur"),
            ln_export=(pl.col("cur") / 100).log(),
            ln_import=(pl.col("imports") / 100).log1p(),
            experience=pl.col("before").is_not_null().cast(pl.UInt8),
            new=(pl.col("before") != pl.col("year") - 1).fill_null(True).cast(pl.UInt8),
            affiliate_cities=pl.col("network_cities") - 1,
            affiliate_exporters="affiliate_n",
            ln_firm_export=(pl.col("firm_cents") / 100).log(),
            largest_plant_share=pl.col("largest") / pl.col("firm_cents"),
            ln_export_elsewhere=pl.when(pl.col("elsewhere") > 0).then(
                (pl.col("elsewhere") / 100).log()
            ),
        )
    )


def main(feed, out):
    files = sorted(glob.glob(os.path.join(feed, "[0-9]" * 6 + "*.csv")))
    periods = [int(os.path.basename(name)[:6]) for name in files]
    first, last = min(periods), max(periods)
    # A year has indicators when the months closed in it are closed in the year before as well.
    first_year = first // 100 + (1 if first % 100 == 1 else 2)
    cities = (
        pl.scan_csv(os.path.join(feed, "cities.csv"), infer_schema=False)
        .select("city", "province", area=pl.col("area_km2").cast(pl.Float64))
    )
    seconds = {}
    start = time.perf_counter()
    sums = annual(files, last).collect(engine="streaming")
    seconds["annual"] = round(time.perf_counter() - start, 3)
    start = time.perf_counter()
    cells = cells_of(sums.lazy()).collect(engine="streaming")
    del sums
    markets = markets_of(cells.lazy(), cities, first_year).collect(engine="streaming")
    seconds["markets"] = round(time.perf_counter() - start, 3)
    start = time.perf_counter()
    tables = {
        "city": city_table(markets.lazy(), last),
        "plant": plant_table(cells.lazy(), markets.lazy(), cities, first_year, last),
    }
    for name, rows in tables.items():
        rows.collect(engine="streaming").write_parquet(os.path.join(out, f"{name}.parquet"))
    seconds["tables"] = round(time.perf_counter() - start, 3)
    print(json.dumps({"version": pl.__version__, "cells": cells.height, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
