"""Both tables from the files alone, as the specification words them, in plain loops.

Shares nothing with the engine but the definitions: amounts are whole cents, the rest is floats.
"""

import csv
import io
import re
from collections import defaultdict
from math import log
from pathlib import Path

EXCLUDED_COUNTRIES = {"110"}
CUSTOMS = Path(__file__).parents[2] / "streams/reference/countries.csv"
COUNTRIES = {row["country"] for row in csv.DictReader(CUSTOMS.open(encoding="utf-8"))}
LOST_DIGITS = re.compile(r"[0-9]+([.,][0-9]+)?[Ee]\+[0-9]{2}")
INTERMEDIARY = ("进出口", "经贸", "贸易", "科贸", "外经")


def cities_of(text):
    """City → (province, area in km²)."""
    rows = csv.DictReader(io.StringIO(text))
    return {row["city"]: (row["province"], float(row["area_km2"])) for row in rows}


def records_of(text, excluded=EXCLUDED_COUNTRIES, modes=None):
    """The accepted records of a canonical file: period, flow, firm, city, country, cents; those of
    some trade modes alone where these are given."""
    for row in csv.DictReader(io.StringIO(text)):
        if not has_codes(row):
            continue
        is_intermediary = any(word in row["firm_name"] for word in INTERMEDIARY)
        is_number = re.fullmatch(r"-?[0-9]+\.[0-9][0-9]", row["value_usd"])
        if is_number and row["country"] not in excluded and not is_intermediary \
                and (modes is None or row["trade_mode"] in modes):
            cents = int(row["value_usd"].replace(".", ""))
            yield (int(row["period"]), row["flow"], row["firm_id"], row["region"][:4],
                   row["country"], cents)


def has_codes(row):
    """Whether no code has lost digits, and the country is one of the customs'."""
    codes = (row["firm_id"], row["region"], row["country"], row["hs8"])
    return row["country"] in COUNTRIES and not any(map(LOST_DIGITS.fullmatch, codes))


class Tables:
    """What should be published of the records that count, once some months are closed."""

    def __init__(self, records, closed, cities, options):
        self.cities, self.options = cities, options
        self.months = defaultdict(set)
        for period in closed:
            self.months[period // 100].add(period % 100)
        self.monthly = defaultdict(int)  # (flow, firm, city, country, year, month) → cents
        for period, flow, firm, city, country, cents in records:
            self.monthly[flow, firm, city, country, period // 100, period % 100] += cents
        self.cells = {}  # year → (firm, city, country) → (cur, base) of exports
        for year in self.months:
            self.cells[year] = self.amounts("E", year)

    def amounts(self, flow, year):
        found = defaultdict(lambda: [0, 0])
        months = self.months[year]
        for (f, firm, city, country, y, month), cents in self.monthly.items():
            if f == flow and month in months and y in (year, year - 1):
                found[firm, city, country][year - y] += cents
        return found

    def years(self):
        return [year for year in sorted(self.months)
                if self.months[year] and self.months[year] <= self.months.get(year - 1, set())]

    def markets(self, year):
        """(city, country) → plants by how they stand, S and n."""
        markets = defaultdict(lambda: {"cur": 0, "continuing": 0, "entrants": 0, "exits": 0,
                                       "export": 0, "base": 0, "S": 0.0, "g": {}})
        for (firm, city, country), (cur, base) in self.cells[year].items():
            if cur <= 0 and base <= 0:
                continue
            market = markets[city, country]
            market["cur"] += cur > 0
            market["entrants"] += cur > 0 and base <= 0
            market["exits"] += base > 0 and cur <= 0
            market["export"] += max(cur, 0)
            market["base"] += max(base, 0)
            if cur > 0 and base > 0:
                market["g"][firm] = log(cur) - log(base)
                market["S"] += market["g"][firm]
                market["continuing"] += 1
        return markets

    def city(self):
        for year in self.years():
            for (city, country), market in self.markets(year).items():
                n, area = market["continuing"], self.cities[city][1]
                yield {"year": year, "months": len(self.months[year]), "city": city,
                       "country": country, "exporters": market["cur"], "continuing": n,
                       "entrants": market["entrants"], "exits": market["exits"],
                       "export_value": market["export"] / 100, "base_value": market["base"] / 100,
                       "growth": market["S"] / n if n else None,
                       "ln_density": log(n / area) if n else None}

    def plant(self):
        for year in self.years():
            yield from Year(self, year).rows()


class Year:
    def __init__(self, tables, year):
        self.tables, self.year = tables, year
        self.positive = {key: cur for key, (cur, _) in tables.cells[year].items() if cur > 0}
        self.markets = tables.markets(year)
        self.imports = tables.amounts("I", year)
        self.by_plant, self.firm_cities = defaultdict(dict), defaultdict(set)
        for (firm, city, country), cents in self.positive.items():
            self.by_plant[firm, city][country] = cents
            self.firm_cities[firm].add(city)
        # cities and relations of all years up to this one, and before it
        self.network, self.before, self.last = defaultdict(set), set(), set()
        for other, cells in tables.cells.items():
            for (firm, city, country), (cur, _) in cells.items():
                if cur > 0 and other <= year:
                    self.network[firm].add(city)
                if cur > 0 and other < year:
                    self.before.add((firm, city, country))
                if cur > 0 and other == year - 1:
                    self.last.add((firm, city, country))
        if tables.options.get("network") == "active":
            self.network = self.firm_cities

    def market(self, firm, city, country):
        """S and n of a market, without the firm's own plant if it is to be left out."""
        market = self.markets.get((city, country))
        if not market:
            return 0.0, 0
        total, n = market["S"], market["continuing"]
        if self.tables.options.get("own_plants") == "exclude" and firm in market["g"]:
            total, n = total - market["g"][firm], n - 1
        return (total, n) if n else (0.0, 0)

    def pooled(self, firm, cities, country):
        pairs = [self.market(firm, city, country) for city in cities]
        n = sum(n for _, n in pairs)
        area = sum(self.tables.cities[city][1] for city in cities)
        return sum(s for s, _ in pairs), n, area

    def weighted(self, firm, cities, country):
        """(16) and (17)."""
        by_destination = self.tables.options.get("weights") == "destination"
        sums = [0.0, 0.0, 0]
        for city in cities:
            total, n = self.market(firm, city, country)
            exports = self.by_plant.get((firm, city), {})
            weight = exports.get(country, 0) if by_destination else sum(exports.values())
            if n:
                sums[0] += weight * total / n
                sums[1] += weight * log(n / self.tables.cities[city][1])
                sums[2] += weight
        return (sums[0] / sums[2], sums[1] / sums[2]) if sums[2] else (None, None)

    def rows(self):
        for (firm, city, country), cur in self.positive.items():
            if len(self.firm_cities[firm]) >= 2:
                yield self.row(firm, city, country, cur)

    def row(self, firm, city, country, cur):
        tables, market = self.tables, self.markets[city, country]
        province, area = tables.cities[city]
        own = market["g"].get(firm)
        n_local = market["continuing"] - (own is not None)
        local = market["S"] - (own or 0)
        affiliates = self.network[firm] - {city}
        total, n, areas = self.pooled(firm, affiliates, country)
        neighbours = [c for c, (p, _) in tables.cities.items() if p == province and c != city]
        p_total, p_n, p_area = self.pooled(firm, neighbours, country)
        weighted = self.weighted(firm, affiliates, country)
        plants = {c: sum(self.by_plant[firm, c].values()) for c in self.firm_cities[firm]}
        elsewhere = plants[city] - cur
        imports = self.imports.get((firm, city, country), (0, 0))[0]
        return {
            "year": self.year, "months": len(tables.months[self.year]), "firm": firm,
            "city": city, "country": country, "export_value": cur / 100,
            "ln_export": log(cur / 100), "ln_import": log(1 + max(imports, 0) / 100),
            "local_growth": local / n_local if n_local else None,
            "local_exporters": n_local,
            "local_ln_density": log(n_local / area) if n_local else None,
            "affiliate_growth": total / n if n else None,
            "affiliate_ln_density": log(n / areas) if n else None,
            "affiliate_growth_weighted": weighted[0],
            "affiliate_ln_density_weighted": weighted[1],
            "province_growth": p_total / p_n if p_n else 0.0,
            "province_ln_density": log(p_n / p_area) if p_n else 0.0,
            "experience": int((firm, city, country) in self.before),
            "new": int((firm, city, country) not in self.last),
            "plants": len(plants), "affiliate_cities": len(affiliates),
            "affiliate_exporters": n, "ln_firm_export": log(sum(plants.values()) / 100),
            "largest_plant_share": max(plants.values()) / sum(plants.values()),
            "ln_export_elsewhere": log(elsewhere / 100) if elsewhere > 0 else None,
        }


KEYS = ("year", "firm", "city", "country")


def difference(published, rows):
    """What an exported table says otherwise, if anything."""
    key = lambda row: tuple(str(row[k]) for k in KEYS if k in row)
    published_rows = list(csv.DictReader(io.StringIO(published)))
    found = {key(row): row for row in published_rows}
    expected = {key(row): row for row in rows}
    if len(found) < len(published_rows):
        return f"only {len(found)} of {len(published_rows)} rows have a key of their own"
    if found.keys() != expected.keys():
        return f"rows {sorted(found.keys() ^ expected.keys())[:3]} are on one side only"
    for at, row in expected.items():
        for column, value in row.items():
            text = found[at].get(column)
            if text is None:
                return f"there is no column {column}"
            if (text == "") != (value is None):
                return f"{at}: {column} is {text!r}, expected {value}"
            if text == "" or str(value) == text:
                continue
            if not is_number(text):
                return f"{at}: {column} is {text!r}, expected {value}"
            if abs(float(text) - float(value)) > 1e-9 * (1 if column not in EXACT else 1e-9):
                return f"{at}: {column} is {text}, expected {value}"
    return None


def is_number(text):
    try:
        return float(text) == float(text)
    except ValueError:
        return False


EXACT = {"year", "months", "exporters", "continuing", "entrants", "exits", "export_value",
         "base_value", "local_exporters", "plants", "affiliate_cities", "affiliate_exporters",
         "experience", "new"}
