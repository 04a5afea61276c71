"""One regression by pyfixest: prints coefficients, standard errors and seconds as JSON.

    pyfixest_regress.py PANEL.parquet FORMULA CLUSTERS BACKEND TOLERANCE
"""

import json
import resource
import sys
import time

import pandas as pd
import pyfixest as pf

path, formula, clusters, backend, tolerance = sys.argv[1:]
start = time.perf_counter()
data = pd.read_parquet(path)
a, b = clusters.split("^")
data["clusters"] = data[a].astype("int64") * 100_000 + data[b]
reading = time.perf_counter() - start
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if backend == "within":
    demeaner = pf.LsmrDemeaner(fixef_atol=float(tolerance), fixef_btol=float(tolerance))
else:
    demeaner = pf.MapDemeaner(backend=backend, fixef_tol=float(tolerance), fixef_maxiter=100_000)
for rows in (data[:50_000], data):  # the first run compiles, whatever the backend
    start = time.perf_counter()
    fit = pf.feols(formula, rows, vcov={"CRV1": "clusters"}, fixef_rm="singleton",
                   demeaner=demeaner, copy_data=False, store_data=False)
    seconds = time.perf_counter() - start
table = fit.tidy()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "seconds": seconds, "seconds_reading": reading, "n_obs": int(fit._N),
    "peak_over_panel_mib": (peak - before) / 1024,
    "estimate": dict(zip(table.index, map(float, table["Estimate"]))),
    "std_error": dict(zip(table.index, map(float, table["Std. Error"]))),
}))
