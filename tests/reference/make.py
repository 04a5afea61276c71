"""Panels and pyfixest's results on them, for tests/estimate/reference.rs.

Made with Python 3.11, pyfixest 0.60.0, numpy 2.4.6, pandas 3.1.1:

    python make.py            # rewrites panel.csv, products.csv and expected.json beside this file

Absorbed by alternating projections to 1e-13, so that what is compared is the mathematics.
"""
import json
import pathlib

import numpy as np
import pandas as pd
import pyfixest as pf

HERE = pathlib.Path(__file__).parent
CLUSTERED = {"CRV1": "city_country"}


def panel(rows: int, seed: int) -> pd.DataFrame:
    """Plants of firms in cities ship to countries: sizes with heavy tails, effects of every kind."""
    draw = np.random.default_rng(seed)
    n_plants, n_cities, n_countries, n_years = rows // 18, 12, 25, 5
    city_of = np.minimum(draw.zipf(1.3, n_plants) - 1, n_cities - 1)
    plant = np.minimum((n_plants * draw.power(0.6, rows)).astype(int), n_plants - 1)
    data = pd.DataFrame({
        "plant": plant,
        "city": city_of[plant],
        "country": np.minimum(draw.zipf(1.4, rows) - 1, n_countries - 1),
        "year": 2000 + draw.integers(0, n_years, rows),
    }).drop_duplicates(ignore_index=True)
    n = len(data)
    province = data["city"] // 3
    data["province"] = province
    effect = lambda *keys: draw.normal(size=5_000_000)[
        pd.factorize(pd.Series(list(zip(*[data[k] for k in keys]))))[0]]
    a, b, c = effect("plant", "year"), effect("country", "year"), effect("city", "country")
    for j in range(1, 5):
        data[f"x{j}"] = np.round(draw.normal(size=n) + 0.5 * a + 0.3 * b - 0.2 * c * j, 4)
    data["dummy"] = (draw.random(n) < 0.3).astype(int)
    data["size"] = np.round(np.exp(effect("plant", "year")), 4)
    data["both"] = np.round(data["x1"] + 2 * data["x2"], 4)
    data["w"] = np.round(draw.gamma(2.0, 0.5, n) + 0.05, 3)
    noise = draw.standard_t(4, n) * (0.5 + 0.5 * data["dummy"]) + 0.4 * draw.normal(size=n) * c
    data["y"] = np.round(
        12 + 0.5 * data["x1"] - 0.25 * data["x2"] * data["x3"] + a + b + c + noise, 5)
    data.loc[draw.random(n) < 0.01, "x3"] = np.nan
    data.loc[draw.random(n) < 0.01, "y"] = np.nan
    data["city_country"] = data["city"] * 1000 + data["country"]
    return data


def cases() -> list[dict]:
    three = "plant^year + country^year + city^country"
    right = "x1 + x2 + x2:x3 + x3 + dummy"
    case = lambda name, formula, **more: {"name": name, "formula": formula, **more}
    return [
        case("three effects clustered", f"y ~ {right} | {three}", vcov=CLUSTERED),
        case("three effects iid", f"y ~ {right} | {three}", vcov="iid"),
        case("three effects hc1", f"y ~ {right} | {three}", vcov="HC1"),
        case("three effects two-way", f"y ~ {right} | {three}", vcov={"CRV1": "city_country+year"}),
        case("two-way, own number of clusters", f"y ~ {right} | {three}",
             vcov={"CRV1": "plant+country"}, ssc={"G_df": "conventional"}),
        case("weights clustered", f"y ~ {right} | {three}", vcov=CLUSTERED, weights="w"),
        case("weights iid", f"y ~ {right} | {three}", vcov="iid", weights="w"),
        case("weights hc1", f"y ~ {right} | {three}", vcov="HC1", weights="w"),
        case("weights two-way", f"y ~ {right} | {three}", vcov={"CRV1": "city_country+year"}, weights="w"),
        case("all levels counted", f"y ~ {right} | {three}", vcov=CLUSTERED, ssc={"k_fixef": "full"}),
        case("no levels counted", f"y ~ {right} | {three}", vcov=CLUSTERED, ssc={"k_fixef": "none"}),
        case("no corrections", f"y ~ {right} | {three}", vcov=CLUSTERED, ssc={"k_adj": False, "G_adj": False}),
        case("effect nested in clusters", "y ~ x1 + x3 | plant + year", vcov={"CRV1": "city"}),
        case("all effects nested", "y ~ x1 + x3 | plant", vcov={"CRV1": "province"}),
        case("collinear regressors", f"y ~ x1 + x2 + both + x4 | {three}", vcov=CLUSTERED),
        case("one effect", "y ~ x1 + dummy | country", vcov="HC1"),
        case("two effects", "y ~ x1*x2 | plant + country^year", vcov=CLUSTERED),
        case("no effects", "y ~ x1*x2 + dummy", vcov={"CRV1": "city"}),
        case("no effects iid, large mean", "y ~ x1 + year", vcov="iid"),
        case("no effects, weights", "y ~ x1 + dummy", vcov="HC1", weights="w"),
        case("no intercept", "y ~ x1 + x2 - 1", vcov="HC1"),
    ]


def products(rows: int, seed: int) -> pd.DataFrame:
    """The product level, in the shape of the paper's tables: cities of one size, plants in one of
    them, with a chain of singletons in two effects of its own."""
    draw = np.random.default_rng(seed)
    n_plants, n_cities, n_countries, n_years, n_products = rows // 24, 10, 12, 5, 15
    plant = draw.integers(0, n_plants, rows)
    data = pd.DataFrame({
        "plant": plant, "city": plant % n_cities,
        "country": np.minimum(draw.zipf(1.5, rows) - 1, n_countries - 1),
        "product": np.minimum(draw.zipf(1.6, rows) - 1, n_products - 1),
        "year": 2000 + draw.integers(0, n_years, rows),
    }).drop_duplicates(ignore_index=True)
    n = len(data)
    data["group"] = data["country"] % 3
    place = np.arange(n)
    data["link_a"] = np.where(place < 400, place // 2, 1000 + place // 5)
    data["link_b"] = np.where(place < 400, (place + 1) // 2, 1000 + place % 97)
    level = lambda *keys: draw.normal(size=n)[data.groupby(list(keys)).ngroup()]
    a, b, c = level("plant", "year"), level("country", "year"), level("city", "country")
    d = level("city", "product", "year")
    for j in range(1, 4):
        data[f"x{j}"] = np.round(draw.normal(size=n) + 0.5 * a + 0.3 * b - 0.2 * c * j + 0.3 * d, 4)
    data["w"] = np.round(draw.gamma(2.0, 0.5, n) + 0.05, 3)
    data["y"] = np.round(3 + 0.5 * data["x1"] - 0.25 * data["x2"] * data["x3"] + a + b + c + d
                         + draw.standard_t(4, n), 5)
    data["city_country"] = data["city"] * 1000 + data["country"]
    return data


def product_cases() -> list[dict]:
    three = "plant^year + country^year + city^country"
    right = "x1 + x2 + x2:x3 + x3"
    case = lambda name, formula, **more: {
        "name": name, "panel": "products", "formula": formula, "vcov": CLUSTERED} | more
    return [
        case("structured", f"y ~ {right} | {three}", structured=True),
        case("structured, weights, two-way", f"y ~ {right} | {three}", structured=True, weights="w",
             vcov={"CRV1": "city_country+year"}),
        case("structured, product level", f"y ~ {right} | {three} + city^product^year", structured=True),
        case("structured, product level, weights", f"y ~ {right} | {three} + city^product^year",
             structured=True, weights="w"),
        case("structured, plant-group-year", f"y ~ {right} | {three} + plant^group^year", structured=True),
        case("four effects", f"y ~ {right} | plant + country^year + city^country + product"),
        case("four effects, two-way", f"y ~ {right} | plant + country + product + year",
             vcov={"CRV1": "plant+country"}),
        case("nested effects, plant in city", f"y ~ {right} | plant + city + year"),
        case("three factors", f"y ~ {right} | city^product^year + country", vcov="iid"),
        case("three factors twice, weights", f"y ~ {right} | city^product^year + city^country^year",
             vcov="HC1", weights="w"),
        case("a chain of singletons", "y ~ x1 + x2 | link_a + link_b", vcov="HC1"),
    ]


def run(case: dict, data: pd.DataFrame) -> dict:
    demeaner = pf.MapDemeaner(fixef_tol=1e-13, fixef_maxiter=100_000)
    fit = pf.feols(case["formula"], data, vcov=case["vcov"], weights=case.get("weights"),
                   ssc=pf.ssc(**case.get("ssc", {})), fixef_rm="singleton", demeaner=demeaner)
    table = fit.tidy()
    keep = lambda column: [float(x) for x in table[column]]
    return case | {
        "terms": list(table.index), "estimate": keep("Estimate"), "std_error": keep("Std. Error"),
        "statistic": keep("t value"), "p_value": keep("Pr(>|t|)"), "conf_low": keep("2.5%"),
        "conf_high": keep("97.5%"), "n_obs": int(fit._N), "df_k": int(fit._df_k), "df_t": int(fit._df_t),
        "r2": float(fit._r2), "r2_within": None if np.isnan(fit._r2_within) else float(fit._r2_within),
        "dropped": list(fit._collin_vars or []),
    }


if __name__ == "__main__":
    data = panel(6000, 1)
    columns = ["y", "x1", "x2", "x3", "x4", "dummy", "size", "both", "w", "plant", "city", "province", "country",
               "city_country", "year"]
    data[columns].to_csv(HERE / "panel.csv", index=False)
    data = pd.read_csv(HERE / "panel.csv")
    products(4000, 2).to_csv(HERE / "products.csv", index=False)
    results = [run(case, data) for case in cases()]
    by_product = pd.read_csv(HERE / "products.csv")
    results += [run(case, by_product) for case in product_cases()]
    (HERE / "expected.json").write_text(json.dumps(results, indent=1))
    print(len(data), [(r["name"], r["n_obs"], r["df_k"], r["df_t"]) for r in results])
