"""Reads the service by pysdmx and sdmx1, and prints what was read as JSON."""

import io
import json
import sys
import urllib.request

import pysdmx.io
import sdmx

BASE = sys.argv[1]


def get(path, accept):
    request = urllib.request.Request(BASE + path, headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


DATA = "/sdmx/v2/data/dataflow/SPILLOVER/SERIES/1.0.0/12m.country.*"
STRUCTURE = "/sdmx/v2/structure/dataflow/SPILLOVER/SERIES/1.0.0?references=all"
csv = get(DATA, "application/vnd.sdmx.data+csv;version=2.0.0")
as_json = get(STRUCTURE, "application/vnd.sdmx.structure+json;version=2.0.0")
as_xml = get(STRUCTURE, "application/vnd.sdmx.structure+xml;version=3.0.0")

found = {}
for name, text in [("json", as_json), ("xml", as_xml)]:
    sets = pysdmx.io.get_datasets(io.BytesIO(csv), io.BytesIO(text))
    (data,) = sets
    components = data.structure.components
    codes = components["LEVEL"].enumeration
    found["pysdmx " + name] = {
        "rows": len(data.data),
        "dimensions": [of.id for of in components.dimensions],
        "levels": sorted(code.id for code in codes),
        "growth": [float(of) for of in data.data["GROWTH"]],
    }

message = sdmx.read_sdmx(io.BytesIO(as_xml))
flow = message.dataflow["SERIES"]
structure = message.structure["SERIES"]
flow.structure = structure
read = sdmx.read_sdmx(io.BytesIO(csv), format="csv", structure=structure)
observations = [obs for data in read.data for obs in data.obs]
found["sdmx1"] = {
    "rows": len(observations),
    "dimensions": [of.id for of in structure.dimensions],
    "levels": sorted(message.codelist["CL_LEVEL"].items),
    "chinese": message.codelist["CL_LEVEL"]["country"].name.localizations["zh"],
}
print(json.dumps(found))
