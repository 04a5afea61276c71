"""pyfixest's and pandas' figures for the paper's tables on `streams/demo`, for tests/regressions.

Made with Python 3.11, pyfixest 0.60.0, pandas 3.1.1:

    spillover --data HOME ingest streams/demo
    spillover --data HOME export panel -o panel.csv
    spillover --data HOME export panel-product -o product.csv
    spillover --data HOME export panel-ordinary -o ordinary.csv
    python tables.py panel.csv product.csv ordinary.csv streams/demo

rewrites tables.json and supply.csv beside this file. The second is a made-up firm-year file, as the
demo has none: supply that lacks some firm-years, for 6(3).

Samples are cut here as METHODOLOGY, "The regressions", says, independently of the program. Table 1
and the networks of firms, for 5(2), are computed from the lines of the feed.
Absorbed by alternating projections to 1e-13, so that what is compared is the mathematics.
"""
import json
import pathlib
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pyfixest as pf

HERE = pathlib.Path(__file__).parent
PAIR = ["affiliate_growth", "affiliate_growth:affiliate_ln_density", "affiliate_ln_density"]
LOCAL = ["local_growth", "local_growth:local_ln_density", "local_ln_density"]
CONTROLS = [*LOCAL, "ln_import", "experience"]
WEIGHTED = [name + "_weighted" if i != 1 else
            "affiliate_growth_weighted:affiliate_ln_density_weighted"
            for i, name in enumerate(PAIR)]
PROVINCE = ["province_growth", "province_growth:province_ln_density", "province_ln_density"]
THREE = ["plant_year", "country_year", "city_country"]


def read(path: str) -> pd.DataFrame:
    data = pd.read_csv(path, dtype={"firm": str, "city": str, "country": str,
                                    "hs6": str})
    data["plant"] = data["firm"] + "|" + data["city"]
    join = lambda *keys: data[list(keys)].astype(str).agg("|".join, axis=1).where(
        data[list(keys)].notna().all(axis=1))
    data["plant_year"] = join("plant", "year")
    data["country_year"] = join("country", "year")
    data["city_country"] = join("city", "country")
    data["plant_group_year"] = join("plant", "income_group", "year")
    return data


def terms_in(data: pd.DataFrame, terms: list[str]) -> pd.DataFrame:
    columns = {}
    for place, term in enumerate(terms):
        columns[f"v{place}"] = data[term.split(":")].prod(axis=1, skipna=False)
    return pd.DataFrame(columns)


def model(sample: pd.DataFrame, outcome: str, terms: list[str], effects: list[str],
          standardise: bool = False) -> dict:
    columns = [outcome, *{*effects, "city_country"}]
    data = pd.concat([sample[columns], terms_in(sample, terms)], axis=1)
    data = data.rename(columns={outcome: "y"})
    while True:
        alone = np.zeros(len(data), bool)
        for effect in effects:
            alone |= data.groupby(effect)[effect].transform("size").to_numpy() == 1
        if not alone.any():
            break
        data = data[~alone]
    if standardise:
        numbers = ["y", *[f"v{i}" for i in range(len(terms))]]
        data[numbers] = (data[numbers] - data[numbers].mean()) / data[numbers].std()
    codes = data.copy()
    for effect in {*effects, "city_country"}:
        codes[effect] = pd.factorize(data[effect])[0]
    right = " + ".join(f"v{i}" for i in range(len(terms)))
    fit = pf.feols(f"y ~ {right} | {' + '.join(effects)}", codes, vcov={"CRV1": "city_country"},
                   demeaner=pf.MapDemeaner(fixef_tol=1e-13, fixef_maxiter=1_000_000))
    figures = {
        terms[int(name[1:])]: {"estimate": float(fit.coef()[name]),
                               "std_error": float(fit.se()[name])}
        for name in fit.coef().index
    }
    return {"n_obs": len(data), "n_clusters": int(data["city_country"].nunique()),
            "terms": figures}


def whole(data: pd.DataFrame, *lists: list[str]) -> pd.DataFrame:
    """The rows in which none of some variables is absent."""
    names = {name for terms in lists for term in terms for name in term.split(":")}
    return data[data[list(names)].notna().all(axis=1)]


def sample(data: pd.DataFrame) -> pd.DataFrame:
    """The rows in which no variable of equation (15) is absent: columns lose their own from these."""
    return whole(data, ["ln_export"], PAIR, CONTROLS)


def regressions(data: pd.DataFrame, plants: pd.DataFrame, province_of: dict) -> dict:
    found = {}
    base = sample(data)
    steps = [PAIR, PAIR + LOCAL, PAIR + LOCAL + ["ln_import"], PAIR + CONTROLS]
    for place, terms in enumerate(steps):
        found[f"3.{place + 1}"] = model(base, "ln_export", terms, THREE)
    found["3.5"] = model(base, "ln_export", PAIR + CONTROLS, THREE, standardise=True)

    found["4.1"] = model(whole(base, WEIGHTED), "ln_export", WEIGHTED + CONTROLS, THREE)
    found["4.3"] = model(whole(base, ["income_group"]), "ln_export", PAIR + CONTROLS,
                         [*THREE, "plant_group_year"])
    found["4.4"] = model(whole(base, PROVINCE), "ln_export", PAIR + CONTROLS + PROVINCE, THREE)

    found["5.1"] = model(whole(base, ["ln_export_elsewhere"]), "ln_export_elsewhere",
                         PAIR + CONTROLS, THREE)
    most = most_in_a_province(plants, province_of)
    in_one = [most[firm, year] for firm, year in zip(base["firm"], base["year"])]
    found["5.2"] = model(base[np.array(in_one) < 2], "ln_export", PAIR + CONTROLS, THREE)
    to_market = data.groupby(["firm", "year", "country"]).size().rename("plants_there")
    five = base.merge(to_market.reset_index(), on=["firm", "year", "country"], how="left")
    found["5.3"] = model(five[five["plants_there"] < 2], "ln_export", PAIR + CONTROLS, THREE)

    six = lambda name, *more: model(whole(base, [name]), "ln_export", PAIR
                                    + [f"affiliate_growth:{name}", *more] + CONTROLS, THREE)
    found["6.1"] = six("new", "new")
    found["6.4"] = six("affiliate_cities")
    found["6.5"] = six("ln_firm_export")

    low, high = base["affiliate_growth"].quantile([0.05, 0.95])
    trimmed = base[base["affiliate_growth"].between(low, high)]
    found["footnote.trimmed"] = model(trimmed, "ln_export", PAIR + CONTROLS, THREE)
    found["footnote.centred"] = model(centred(base), "ln_export", PAIR + CONTROLS, THREE)
    firms = base.drop_duplicates(["firm", "year"])["largest_plant_share"]
    share = base[base["largest_plant_share"] <= firms.quantile(0.9)]
    found["footnote.share"] = model(share, "ln_export", PAIR + CONTROLS, THREE)
    large = base[base["plants"] >= 5]
    found["footnote.plants"] = model(large, "ln_export", PAIR + CONTROLS, THREE)
    return found


def products(data: pd.DataFrame) -> dict:
    data["city_product_year"] = data[["city", "hs6", "year"]].astype(str).agg("|".join, axis=1)
    rows = whole(sample(data), ["ln_product_export", "differentiated", "hs6"])
    terms = PAIR + ["affiliate_growth:differentiated"] + CONTROLS
    return model(rows, "ln_product_export", terms, [*THREE, "city_product_year"])


def ordinary(data: pd.DataFrame) -> dict:
    return model(sample(data), "ln_export", PAIR + CONTROLS, THREE)


def supplied(data: pd.DataFrame) -> dict:
    """6(3) with supply.csv, which is written first; firm-years without supply leave the sample."""
    draw = np.random.default_rng(63)
    supply = data[["firm", "year"]].drop_duplicates().sort_values(["firm", "year"])
    supply = supply[draw.random(len(supply)) < 0.97]
    supply["supply"] = np.round(np.exp(draw.normal(3, 1, len(supply))), 3)
    supply.rename(columns={"firm": "firm_id"}).to_csv(HERE / "supply.csv", index=False)
    supply["ln_supply"] = np.log(supply["supply"])
    data = data.drop(columns="ln_supply", errors="ignore")
    data = data.merge(supply, on=["firm", "year"], how="left")
    six = whole(sample(data), ["ln_supply"])
    terms = PAIR + ["affiliate_growth:ln_supply"] + CONTROLS
    return model(six, "ln_export", terms, THREE)


def centred(base: pd.DataFrame) -> pd.DataFrame:
    """The factors of interactions less their means over the rows that are not singletons."""
    sample = without_singletons(base)
    factors = ["affiliate_growth", "affiliate_ln_density", "local_growth", "local_ln_density"]
    base = base.copy()
    base[factors] -= sample[factors].mean()
    return base


def without_singletons(data: pd.DataFrame) -> pd.DataFrame:
    while True:
        alone = np.zeros(len(data), bool)
        for effect in THREE:
            alone |= data.groupby(effect)[effect].transform("size").to_numpy() == 1
        if not alone.any():
            return data
        data = data[~alone]


def exports_of(feed: pathlib.Path) -> tuple[pd.DataFrame, dict]:
    """What every plant exported to every destination in every year, where that is positive, and the
    province of each city: from the lines of a canonical feed."""
    text = lambda path: pd.read_csv(path, dtype=str, keep_default_na=False)
    cities = text(feed / "cities.csv")
    lines = pd.concat([text(path) for path in sorted(feed.glob("2*.csv"))], ignore_index=True)
    intermediary = lines["firm_name"].str.contains("进出口|经贸|贸易|科贸|外经")
    lines = lines[(lines["flow"] == "E") & (lines["country"] != "110") & ~intermediary]
    lines = lines.assign(
        firm=lines["firm_id"], city=lines["region"].str[:4], year=lines["period"].str[:4].astype(int),
        cents=[int(Decimal(value) * 100) for value in lines["value_usd"]])
    lines = lines[lines["city"].isin(cities["city"])]
    cells = lines.groupby(["firm", "year", "city", "country"])["cents"].sum()
    return cells[cells > 0].reset_index(), dict(zip(cities["city"], cities["province"]))


def most_in_a_province(cells: pd.DataFrame, province_of: dict) -> dict:
    """Of each firm-year, the most cities of one province in which the firm ever exported until then."""
    founded = cells.groupby(["firm", "city"])["year"].min().reset_index()
    founded["province"] = founded["city"].map(province_of)
    most = {}
    for firm, year in cells[["firm", "year"]].drop_duplicates().itertuples(index=False):
        most[firm, year] = 0
    for firm, own in founded.groupby("firm"):
        for year in cells["year"].unique():
            if (firm, year) in most:
                until = own[own["year"] <= year]
                most[firm, year] = int(until["province"].value_counts().max())
    return most


def summaries(data: pd.DataFrame, cells: pd.DataFrame) -> dict:
    plants = cells.groupby(["firm", "year", "city"])["cents"].sum().reset_index()
    firms = plants.groupby(["firm", "year"])["cents"].agg(["size", "max", "sum"]).reset_index()
    firms = firms[firms["size"] >= 2]
    firms["plants"] = firms["size"]
    firms["largest_plant_share"] = firms["max"] / firms["sum"]
    one = []
    for year, rows in firms.groupby("year"):
        for name in ["plants", "largest_plant_share"]:
            values = rows[name]
            one.append({"variable": name, "year": int(year), "n": len(values),
                        "mean": float(values.mean()), "median": float(values.median()),
                        "sd": float(values.std())})
    names = ["ln_export", *PAIR, *CONTROLS]
    of_three = without_singletons(sample(data))
    values = terms_in(of_three, names)
    two = [{"variable": name, "n": len(values), "mean": float(values[column].mean()),
            "sd": float(values[column].std()), "min": float(values[column].min()),
            "max": float(values[column].max())} for name, column in zip(names, values)]
    return {"1": one, "2": two}


def figure(data: pd.DataFrame) -> dict:
    names = ["ln_export", "affiliate_growth"]
    rows = without_singletons(sample(data))
    within = rows[names] - rows.groupby("plant_year")[names].transform("mean")
    y, x = within["ln_export"], within["affiliate_growth"]
    slope = float((x * y).sum() / (x * x).sum())
    means = rows[names].mean()
    clustered = model(rows, "ln_export", ["affiliate_growth"], ["plant_year"])
    return {"n_obs": len(rows), "slope": slope,
            "std_error": clustered["terms"]["affiliate_growth"]["std_error"],
            "intercept": float(means["ln_export"] - slope * means["affiliate_growth"])}


def main() -> None:
    data = read(sys.argv[1])
    cells, province_of = exports_of(pathlib.Path(sys.argv[4]))
    found = {**regressions(data, cells, province_of), **summaries(data, cells),
             "figure1": figure(data)}
    found["6.2"] = products(read(sys.argv[2]))
    found["4.2"] = ordinary(read(sys.argv[3]))
    found["6.3"] = supplied(data)
    (HERE / "tables.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
