"""The panels of benches/estimator, made from a seed: the shape of the paper's tables, at any size.

Plants of firms in cities ship to destinations; the sizes of cities, the popularity of destinations
and the scope of plants are heavy-tailed, relations last for some years. Rows are in order of year,
as a panel grows.
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N_YEARS, FIRST_YEAR = 11, 2001
CONTROLS = ("local_growth + local_growth:local_ln_density + local_ln_density + ln_import "
            "+ experience")
AFFILIATE = "affiliate_growth + affiliate_growth:affiliate_ln_density + affiliate_ln_density"
TABLE3 = f"ln_export ~ {AFFILIATE} + {CONTROLS} | plant^year + country^year + city^country"
GROUPED = TABLE3.replace("| plant^year", "| plant^group^year")
PRODUCT = (f"ln_export ~ {AFFILIATE} + affiliate_growth:differentiated + {CONTROLS} "
           "| plant^year + country^year + city^country + city^hs6^year")
CLUSTER = "city^country"
EFFECTS = TABLE3[TABLE3.index("|"):]
# Further columns on the same sample and effects, as in the tables: fewer controls, interactions.
COLUMNS = [f"ln_export ~ {right} {EFFECTS}" for right in (
    AFFILIATE,
    f"{AFFILIATE} + local_growth + local_growth:local_ln_density + local_ln_density",
    f"{AFFILIATE} + local_growth + local_growth:local_ln_density + local_ln_density + ln_import",
    f"{AFFILIATE} + affiliate_growth:experience + {CONTROLS}",
    f"{AFFILIATE} + affiliate_growth:ln_import + {CONTROLS}",
    f"{AFFILIATE} + affiliate_growth:group + {CONTROLS}",
    f"{AFFILIATE} + affiliate_growth:local_ln_density + {CONTROLS}",
)]


def heavy(draw, n, exponent):
    """Shares of n things that fall with their rank."""
    share = np.arange(1, n + 1) ** -exponent * draw.uniform(0.5, 1.5, n)
    return share / share.sum()


def relations(draw, n_plants, n_cities, n_countries, mean_scope):
    """Plants and what they ship where: plant, city, country, first and last year of each relation."""
    city = draw.choice(n_cities, n_plants, p=heavy(draw, n_cities, 0.75))
    born = draw.integers(-4, N_YEARS, n_plants)
    died = born + draw.geometric(1 / 7, n_plants)
    scope = np.minimum(1 + (draw.pareto(1.3, n_plants) * mean_scope).astype(int), n_countries)
    plant = np.repeat(np.arange(n_plants), scope)
    country = draw.choice(n_countries, plant.size, p=heavy(draw, n_countries, 0.9))
    first = np.maximum(born[plant] + draw.geometric(0.45, plant.size) - 1, 0)
    last = np.minimum(died[plant], np.minimum(first + draw.geometric(1 / 5, plant.size), N_YEARS))
    alive = last > first
    return plant[alive], city[plant[alive]], country[alive], first[alive], last[alive]


def spells(first, last):
    """The relation and the year of each row."""
    length = last - first
    relation = np.repeat(np.arange(length.size), length)
    start = np.cumsum(length) - length
    return relation, first[relation] + np.arange(relation.size) - start[relation]


def panel(n_rows, seed, n_cities=300, n_countries=200, n_products=None, mean_scope=5.0):
    """About n_rows rows, as columns: plants by destination and year, and by product if there are."""
    draw = np.random.default_rng(seed)
    per_plant = 18.0 if n_products is None else 33.4
    n_plants = int(n_rows / per_plant) + 10
    plant, city, country, first, last = relations(draw, n_plants, n_cities, n_countries, mean_scope)
    product = None
    if n_products is not None:
        core = draw.choice(n_products, (n_plants, 6), p=heavy(draw, n_products, 0.8))
        times = np.minimum(draw.geometric(0.55, plant.size), 6)
        place = np.repeat(np.arange(plant.size), times)
        nth = np.arange(place.size) - np.repeat(np.cumsum(times) - times, times)
        plant, city, country, first, last = (a[place] for a in (plant, city, country, first, last))
        product = core[plant, nth]
    relation, year = spells(first, last)
    order = np.lexsort((country[relation], plant[relation], year))
    relation, year = relation[order], year[order]
    plant, city, country = plant[relation], city[relation], country[relation]
    data = {"plant": plant, "city": city, "country": country, "year": year}
    if product is not None:
        data["hs6"] = product[relation]
    keep = unique(data)
    data = {name: values[keep] for name, values in data.items()}
    return with_variables(draw, data, n_plants, n_cities, n_countries, n_products)


def unique(data):
    """The first row of each combination of the keys."""
    key = np.zeros(len(data["plant"]), dtype=np.int64)
    for values in data.values():
        key = key * (int(values.max()) + 1) + values
    keep = np.zeros(key.size, dtype=bool)
    keep[np.unique(key, return_index=True)[1]] = True
    return keep


def with_variables(draw, data, n_plants, n_cities, n_countries, n_products):
    plant, city, country, year = (data[k] for k in ("plant", "city", "country", "year"))
    n = plant.size
    shape = (n_cities, n_countries, N_YEARS)
    growth, density = draw.normal(0, 0.3, shape), draw.normal(-3, 1, shape)
    others = draw.integers(0, n_cities, (n_plants, 2))[plant]
    near = lambda table: table[city, country, year]
    far = lambda table: 0.5 * (table[others[:, 0], country, year] + table[others[:, 1], country, year])
    normal = lambda scale: draw.normal(0, scale, n)
    data["group"] = (np.arange(n_countries) * 7 % 4)[country]
    data["affiliate_growth"] = far(growth) + normal(0.1)
    data["affiliate_ln_density"] = far(density) + normal(0.3)
    data["local_growth"] = near(growth) + normal(0.05)
    data["local_ln_density"] = near(density) + normal(0.05)
    data["ln_import"] = np.where(draw.random(n) < 0.6, 0.0, draw.gamma(8, 1.5, n))
    data["experience"] = (draw.random(n) < 0.6).astype(np.int64)
    size = draw.normal(0, 1.5, n_plants)[plant]
    effects = (size * (1 + 0.1 * year) + draw.normal(0, 1, (n_countries, N_YEARS))[country, year]
               + draw.normal(0, 1, (n_cities, n_countries))[city, country])
    fit = (0.08 * data["affiliate_growth"] - 0.01 * data["affiliate_growth"] * data["affiliate_ln_density"]
           + 0.05 * data["local_growth"] + 0.02 * data["ln_import"] + 0.4 * data["experience"])
    if n_products is not None:
        data["differentiated"] = (draw.random(n_products) < 0.6).astype(np.int64)[data["hs6"]]
        effects = effects + draw.normal(0, 0.5, (n_products, N_YEARS))[data["hs6"], year]
    data["ln_export"] = 10 + fit + effects + normal(1.2)
    data["year"] = year + FIRST_YEAR
    return data


def write(data, path):
    small = {"plant": np.int32, "city": np.int32, "country": np.int32, "year": np.int32,
             "hs6": np.int32, "group": np.int32}
    columns = {k: v.astype(small[k]) if k in small else v for k, v in data.items()}
    pq.write_table(pa.table(columns), path, compression="zstd", row_group_size=1 << 18)
