"""pyfixest's and pandas' figures for the paper's tables on `streams/demo`, for tests/regressions.

Made with Python 3.11, pyfixest 0.60.0, pandas 3.1.1:

    spillover --data HOME ingest streams/demo
    spillover --data HOME export panel -o panel.csv
    spillover --data HOME export panel-product -o product.csv
    spillover --data HOME export panel-ordinary -o ordinary.csv
    python tables.py panel.csv product.csv ordinary.csv

rewrites tables.json and supply.csv beside this file. The second is a made-up firm-year file, as the
demo has none: supply that lacks some firm-years, for 6(3).

Samples are cut here as METHODOLOGY, "The regressions", says, independently of the program.
Absorbed by alternating projections to 1e-13, so that what is compared is the mathematics.
"""
import json
import pathlib
import sys

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
    data = pd.concat([sample[[outcome, *effects]], terms_in(sample, terms)], axis=1)
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
    """The rows in which none of the variables of a table is absent."""
    names = {name for terms in lists for term in terms for name in term.split(":")}
    return data[data[list(names)].notna().all(axis=1)]


def regressions(data: pd.DataFrame) -> dict:
    found = {}
    base = whole(data, ["ln_export"], PAIR, CONTROLS)
    steps = [PAIR, PAIR + LOCAL, PAIR + LOCAL + ["ln_import"], PAIR + CONTROLS]
    for place, terms in enumerate(steps):
        found[f"3.{place + 1}"] = model(base, "ln_export", terms, THREE)
    found["3.5"] = model(base, "ln_export", PAIR + CONTROLS, THREE, standardise=True)

    four = whole(base, WEIGHTED, PROVINCE, ["income_group"])
    found["4.1"] = model(four, "ln_export", WEIGHTED + CONTROLS, THREE)
    found["4.3"] = model(four, "ln_export", PAIR + CONTROLS, [*THREE, "plant_group_year"])
    found["4.4"] = model(four, "ln_export", PAIR + CONTROLS + PROVINCE, THREE)

    five = whole(base, ["ln_export_elsewhere"])
    found["5.1"] = model(five, "ln_export_elsewhere", PAIR + CONTROLS, THREE)
    province_of = data["province"].astype(str)
    active = data.assign(province=province_of).drop_duplicates(["firm", "year", "city"])
    by_province = active.groupby(["firm", "year", "province"]).size().groupby(
        level=["firm", "year"]).max().rename("most").reset_index()
    five = five.merge(by_province, on=["firm", "year"], how="left")
    found["5.2"] = model(five[five["most"] < 2], "ln_export", PAIR + CONTROLS, THREE)
    to_market = data.groupby(["firm", "year", "country"]).size().rename("plants_there")
    five = five.merge(to_market.reset_index(), on=["firm", "year", "country"], how="left")
    found["5.3"] = model(five[five["plants_there"] < 2], "ln_export", PAIR + CONTROLS, THREE)

    six = whole(base, ["new", "affiliate_cities", "ln_firm_export"])
    with_ = lambda name: PAIR + [f"affiliate_growth:{name}"]
    found["6.1"] = model(six, "ln_export", with_("new") + ["new"] + CONTROLS, THREE)
    found["6.4"] = model(six, "ln_export", with_("affiliate_cities") + CONTROLS, THREE)
    found["6.5"] = model(six, "ln_export", with_("ln_firm_export") + CONTROLS, THREE)

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
    sample = whole(data, ["ln_export", "ln_product_export", "differentiated", "new",
                          "affiliate_cities", "ln_firm_export"], PAIR, CONTROLS)
    terms = PAIR + ["affiliate_growth:differentiated"] + CONTROLS
    return model(sample, "ln_product_export", terms, [*THREE, "city_product_year"])


def ordinary(data: pd.DataFrame) -> dict:
    """Table 4's common sample, on the panel of ordinary trade."""
    sample = whole(data, ["ln_export"], PAIR, CONTROLS, WEIGHTED, PROVINCE, ["income_group"])
    return model(sample, "ln_export", PAIR + CONTROLS, THREE)


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
    six = whole(data, ["ln_export", "new", "affiliate_cities", "ln_firm_export", "ln_supply"], PAIR,
                CONTROLS)
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


def summaries(data: pd.DataFrame) -> dict:
    firms = data.drop_duplicates(["firm", "year"])
    one = []
    for year, rows in firms.groupby("year"):
        for name in ["plants", "largest_plant_share"]:
            values = rows[name]
            one.append({"variable": name, "year": float(year), "n": float(len(values)),
                        "mean": float(values.mean()), "median": float(values.median()),
                        "sd": float(values.std())})
    names = ["ln_export", "affiliate_growth", "affiliate_ln_density", "local_growth",
             "local_ln_density", "ln_import", "experience"]
    sample = without_singletons(whole(data, ["ln_export"], PAIR, CONTROLS))
    two = [{"variable": name, "n": float(len(sample)), "mean": float(sample[name].mean()),
            "sd": float(sample[name].std()), "min": float(sample[name].min()),
            "max": float(sample[name].max())} for name in names]
    return {"1": one, "2": two}


def figure(data: pd.DataFrame) -> dict:
    rows = data[data["affiliate_growth"].notna()]
    rows = rows[rows.groupby("plant_year")["plant_year"].transform("size") > 1]
    within = rows[["ln_export", "affiliate_growth"]] - rows.groupby("plant_year")[
        ["ln_export", "affiliate_growth"]].transform("mean")
    y, x = within["ln_export"], within["affiliate_growth"]
    return {"n_obs": len(rows), "slope": float((x * y).sum() / (x * x).sum())}


def main() -> None:
    data = read(sys.argv[1])
    found = {**regressions(data), **summaries(data), "figure1": figure(data)}
    found["6.2"] = products(read(sys.argv[2]))
    found["4.2"] = ordinary(read(sys.argv[3]))
    found["6.3"] = supplied(data)
    (HERE / "tables.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
