"""What a home exports: every table, compared with what it must be.

The right tables of a scenario come from an undisturbed run, and that run is checked itself: the
figures by `oracle.py` from the feed, the ledgers by the manifest, and every table by its other
format. A program that exports wrong figures from a right home is found, whatever else it does.
"""

import csv
import io
import json
import math
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from feeds import months
from oracle import EXCLUDED_COUNTRIES, Tables, cities_of, difference, records_of

AT_A_VINTAGE = ("city", "plant", "files", "rejects")
# a run that was interrupted exports these byte for byte as one that was not
SAME_BYTES = (*AT_A_VINTAGE, "panel", "panel-ordinary", "panel-product", "firms", "summary")
TABLES = (*SAME_BYTES, "changes", "estimates")
# columns of `estimates` that say how and when a model was estimated
HOW = ("estimate_id", "publication", "vintage", "iterations", "relative_residual", "seconds",
       "warm_start")
ORDINARY_TRADE = {"10"}
# what is said of a vintage that other exclusions keep from being computed
NOT_REPLAYED = "so it cannot be recomputed"


def asked(home, query):
    """The rows of a query on the manifest of a home."""
    with closing(sqlite3.connect(f"file:{home}/manifest.sqlite?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


# ── two homes ────────────────────────────────────────────────────────────────────────────────────


def last_step(home):
    """The newest vintage of a home, and the newest one that was published before it."""
    rows = asked(home, "SELECT vintage FROM publications")
    vintages = sorted({0, *(vintage for vintage, in rows)})
    return vintages[-1], vintages[-2] if len(vintages) > 1 else 0


def moves(before, after):
    """The rows of `changes` between two states, each of them the tables city and plant."""
    moved = set()
    for table, names in (("city", ("city", "country")), ("plant", ("firm", "city", "country"))):
        sides = []
        for text in (before[table], after[table]):
            # Before the first vintage there is no table to ask for.
            text = "" if "there is no vintage 0;" in text else text
            keyed = {(row["year"], *(row[name] for name in names)): row for row in rows_of(text)}
            sides.append(keyed)
        for key in sides[0].keys() | sides[1].keys():
            old, new = (side.get(key, {}) for side in sides)
            for column in (old | new).keys() - {"year", "months", *names}:
                if old.get(column, "") != new.get(column, ""):
                    firm = (old | new).get("firm", "") if table == "plant" else ""
                    moved.add((table, key[0], (new or old)["months"], firm, *key[-2:], column,
                               old.get(column, ""), new.get(column, "")))
    return moved


def wrong_changes(text, before, after):
    """What the table `changes` says that did not move between two states, or leaves out."""
    rows = {tuple(row.values()) for row in rows_of(text)}
    odd = sorted(rows ^ moves(before, after))
    return f"changes: {odd[:2]} is on one side only" if odd else None


def newest_estimates(text):
    """The newest estimate of each term, without what tells how it was computed."""
    newest = {}
    for row in rows_of(text):
        of = tuple(row[name] for name in ("specification", "column", "year", "term"))
        newest[of] = [value for name, value in row.items() if name not in HOW]
    return newest


def same_figures(one, other):
    """Iterations that begin elsewhere end within the tolerance of the solution."""
    try:
        return one == other or math.isclose(float(one), float(other), rel_tol=1e-5, abs_tol=1e-8)
    except ValueError:
        return False


def same_estimates(text, right):
    one, other = newest_estimates(text), newest_estimates(right)
    return one.keys() == other.keys() and all(
        len(one[of]) == len(other[of]) and all(map(same_figures, one[of], other[of])) for of in one)


def first_difference(text, right):
    """The first line in which two tables differ."""
    lines = [side.splitlines() for side in (text, right)]
    for at, (one, other) in enumerate(zip(*lines), 1):
        if one != other:
            return f"line {at} is {one[:200]!r} in place of {other[:200]!r}"
    return f"{len(lines[0])} lines in place of {len(lines[1])}"


# ── one home, against what it was made of ────────────────────────────────────────────────────────


def choices_of(options):
    """The choices of an options file of a scenario, one a line."""
    found = dict(re.findall(r'^(\w+) = "(\w+)"$', options, re.MULTILINE))
    countries = re.search(r"^countries = \[(.*)\]$", options, re.MULTILINE)
    found["excluded"] = set(re.findall(r'"(\w+)"', countries[1])) if countries \
        else EXCLUDED_COUNTRIES
    return found


class Expected:
    """What a whole home must export."""

    def __init__(self, home, cities, scenario):
        self.home, self.cities = home, cities_of(cities)
        self.options = choices_of(scenario.options)
        self.options_then = choices_of(scenario.options_then or scenario.options)
        self.damaged, (self.newest, _) = scenario.damaged, last_step(home)
        names = ("vintage", "name", "path", "period", "hash", "lines", "accepted", "superseded_by",
                 "withdrawn_at")
        files = asked(home, f"SELECT {', '.join(names)} FROM files ORDER BY vintage")
        self.files = [dict(zip(names, row)) for row in files]
        counts = {row[:2]: row[2] for row in asked(
            home, "SELECT vintage, kind, sum(n) FROM file_counts GROUP BY vintage, kind")}
        for file in self.files:
            for kind in ("excluded", "rejected"):
                file[kind] = counts.get((file["vintage"], kind), 0)
        rebuilt = asked(home, "SELECT min(vintage) FROM publications WHERE publication IN "
                              "(SELECT until FROM former_settings)")
        self.rebuilt_at = rebuilt[0][0] or math.inf

    def choices(self, vintage):
        return self.options_then if vintage >= self.rebuilt_at else self.options

    def counting(self, vintage):
        """The files that count as of a vintage."""
        gone = lambda file, how: file[how] is not None and file[how] <= vintage
        return [file for file in self.files if file["vintage"] <= vintage
                and not gone(file, "superseded_by") and not gone(file, "withdrawn_at")]

    def closed(self, vintage):
        """The months that are closed as of a vintage."""
        if self.options.get("close") == "explicit":
            return [month for month, in asked(
                self.home, "SELECT period FROM months JOIN publications "
                f"ON publication = closed_at_publication WHERE vintage <= {vintage}")]
        closed, following = [], months(self.files[0]["period"], 10**6)
        following_month = int(next(following))
        for file in self.files:
            if file["vintage"] <= vintage and file["period"] == following_month:
                closed.append(following_month)
                following_month = int(next(following))
        return closed

    def tables(self, vintage, modes=None):
        choices = self.choices(vintage)
        texts = [Path(file["path"]).read_text(encoding="utf-8") for file in self.counting(vintage)]
        records = [r for text in texts for r in records_of(text, choices["excluded"], modes)]
        return Tables(records, self.closed(vintage), self.cities, choices)

    def wrong(self, table, text, vintage):
        """What an exported table says otherwise, if anything."""
        if table in ("city", "plant"):
            if self.is_refusal(text, vintage):
                return None
            return difference(text, getattr(self.tables(vintage), table)())
        if table in ("panel", "panel-ordinary", "panel-product"):
            tables = self.tables(vintage, ORDINARY_TRADE if table == "panel-ordinary" else None)
            rows = [row for row in tables.plant() if row["months"] == 12]
            if not rows and text.startswith("exit 1: "):
                return None
            return difference(text, rows)
        if table == "files":
            files = [file for file in self.files if file["vintage"] <= vintage]
            names = ("vintage", "period", "name", "hash", "lines", "accepted", "excluded",
                     "rejected")
            rows = [tuple(str(file[name]) for name in names) for file in files]
            return other_rows(text, ("vintage", "period", "file", *names[3:]), rows)
        if table == "rejects":
            rows = asked(self.home, "SELECT vintage, name, line, \"column\", rule, raw "
                                    "FROM rejects "
                                    f"JOIN files USING (vintage) WHERE vintage <= {vintage} "
                                    "ORDER BY vintage, line")
            rows = [tuple(map(str, row)) for row in rows]
            return other_rows(text, ("vintage", "file", "line", "column", "rule", "raw"), rows)
        if table == "estimates":
            return self.wrong_estimates(text)
        return None

    def is_refusal(self, text, vintage):
        """Whether a table of an older vintage is refused, as it must be: records that it needs were
        damaged before, or excluded otherwise since."""
        if not text.startswith("exit 1: ") or vintage >= self.newest:
            return False
        needs_damaged = self.damaged and self.damaged in text
        return needs_damaged or (vintage < self.rebuilt_at < math.inf and NOT_REPLAYED in text)

    def wrong_estimates(self, text):
        """Estimates as the manifest keeps them, term by term."""
        kept = {}
        for number, model in asked(self.home, "SELECT estimate, model FROM estimates"):
            for term in json.loads(model)["estimate"]["terms"] if model else ():
                kept[str(number), term["term"]] = (term["estimate"], term["std_error"])
        found = {}
        for row in rows_of(text):
            if row["estimate"]:
                number = lambda name: float(row[name]) if row[name] else None
                found[row["estimate_id"], row["term"]] = number("estimate"), number("std_error")
        odd = sorted(set(found.items()) ^ set(kept.items()), key=repr)
        return f"estimates: {odd[:2]} is on one side only" if odd else None


def other_rows(text, names, rows):
    """The first row of some columns of a table that is not as expected."""
    found = [tuple(row.get(name) for name in names) for row in rows_of(text)]
    odd = next(((one, other) for one, other in zip(found, rows) if one != other), None)
    if odd:
        return f"{odd[0]} in place of {odd[1]}"
    return None if len(found) == len(rows) else f"{len(found)} rows in place of {len(rows)}"


def wrong_in_json(text, lines):
    """What a table says in CSV and not as JSON, row by row."""
    rows, objects = rows_of(text), [json.loads(line) for line in lines.splitlines()]
    if len(rows) != len(objects):
        return f"{len(rows)} rows as CSV, {len(objects)} as JSON"
    for at, (row, found) in enumerate(zip(rows, objects), 2):
        for name, value in row.items():
            if not same_value(value, found.get(name)):
                return f"line {at}: {name} is {value!r} as CSV, {found.get(name)!r} as JSON"
    return None


def same_value(text, value):
    if value is None:
        return text == ""
    if isinstance(value, bool):
        return text in ((("1", "true")) if value else (("0", "false")))
    try:
        return text == str(value) or float(text) == float(value)
    except ValueError:
        return False
