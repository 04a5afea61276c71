"""A panel and other programs' results on it, for tests/estimate/leave_out.rs.

Made with Python 3.11, pyfixest 0.60.0 and wildboottest 0.3.2:

    python leave_out.py       # rewrites leave_out.csv and leave_out.json beside this file

CV3 is pyfixest's CRV3 (it estimates every sample without a cluster again), without small-sample
factors, times (G - 1)/G. The bootstrap is wildboottest's WCR11, with the effects as dummies and all
combinations of signs.
"""
import json
import pathlib

import numpy as np
import pandas as pd
import pyfixest as pf
from wildboottest.wildboottest import WildboottestCL

HERE = pathlib.Path(__file__).parent
N_CITIES = 9


def panel() -> pd.DataFrame:
    draw = np.random.default_rng(11)
    rows = []
    for year in range(3):
        for plant in range(N_CITIES * 4):
            for country in draw.choice(7, size=draw.integers(2, 6), replace=False):
                rows.append((plant, plant % N_CITIES, int(country), 2000 + year))
    data = pd.DataFrame(rows, columns=["plant", "city", "country", "year"])
    n = len(data)
    shock = draw.normal(size=(N_CITIES, 7))[data["city"], data["country"]]
    data["x1"] = np.round(draw.normal(size=n) + 0.4 * shock, 4)
    data["x2"] = np.round(draw.normal(size=n) * (1 + data["city"] % 3), 4)
    own = draw.normal(size=N_CITIES)[data["city"]]
    noise = 3 * draw.normal(size=n) * (1 + 0.5 * own**2)
    data["y"] = np.round(0.25 * data["x1"] + 0.1 * data["x2"] + shock + noise, 4)
    return data


def dummies(data: pd.DataFrame) -> np.ndarray:
    """Independent columns with the span of the effects."""
    keys = [["plant", "year"], ["country", "year"], ["city", "country"]]
    columns = [pd.get_dummies(data[k].astype(str).agg("-".join, axis=1)) for k in keys]
    matrix = pd.concat(columns, axis=1).to_numpy(dtype=float)
    basis, sizes, _ = np.linalg.svd(matrix, full_matrices=False)
    return basis[:, sizes > 1e-8 * sizes[0]]


def main() -> None:
    data = panel()
    data.to_csv(HERE / "leave_out.csv", index=False)
    formula = "y ~ x1 + x2 | plant^year + country^year + city^country"
    plain = pf.ssc(k_adj=False, G_adj=False)
    fit = pf.feols(formula, data, vcov={"CRV3": "city"}, ssc=plain, fixef_tol=1e-12)
    share = (N_CITIES - 1) / N_CITIES
    result = {
        "formula": formula,
        "estimate": list(map(float, fit.coef())),
        "cv3_std_error": [float(se * np.sqrt(share)) for se in fit.se()],
        "n_obs": int(fit._N),
        "wild_p_value": [],
    }
    x = np.column_stack([data[["x1", "x2"]].to_numpy(), dummies(data)])
    for place in range(2):
        hypothesis = np.zeros(x.shape[1])
        hypothesis[place] = 1
        boot = WildboottestCL(
            X=x, Y=data["y"].to_numpy(), cluster=data["city"].to_numpy(), R=hypothesis,
            B=9999, seed=1, parallel=False)
        boot.get_scores(bootstrap_type="11", impose_null=True)
        boot.get_weights(weights_type="rademacher")
        boot.get_numer()
        boot.get_denom()
        boot.get_tboot()
        boot.get_vcov()
        boot.get_tstat()
        boot.get_pvalue(pval_type="two-tailed")
        result["wild_p_value"].append(float(boot.pvalue))
    (HERE / "leave_out.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


main()
