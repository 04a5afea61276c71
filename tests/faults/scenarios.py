"""What is interrupted: how the home comes to be, and the command that the fault hits."""

import random
from dataclasses import dataclass, field

from feeds import write_feed, write_month


@dataclass
class Scenario:
    """Commands run undisturbed, and the one that a fault hits."""

    name: str
    hit: tuple
    before: tuple = ()
    options: str = ""
    # options that stand when the command is run, where they are others
    options_then: str = ""
    files: dict = field(default_factory=dict)
    # a command of its own refuses what is done already, as `close` does
    again: tuple = (0, 3)
    # the newest leftover of a killed run stays for the command to clear away
    leftovers: bool = False
    # what it prints of its result must be the same, too
    shows: tuple = ()
    # a word of what it says undisturbed: that it does what the scenario is about
    says: str = ""
    # whether every column must be estimated for every year that an undisturbed run estimates it for
    estimates: bool = False
    # a file of the home in which a bit is flipped before
    damaged: str = ""


TO = "{feed}/upto"  # the months up to the one that is hit
NEW = "{feed}/new"  # what is hit

ALL = [
    Scenario("first", hit=("ingest", TO), files={"upto": (200001, 3)}),
    Scenario("month", before=(("ingest", TO),), hit=("ingest", NEW),
             files={"upto": (200001, 14), "new": {"200103": {}}}),
    Scenario("december", before=(("ingest", TO),), hit=("ingest", NEW),
             files={"upto": (200001, 23), "new": {"200112": {}}}),
    Scenario("december-of-third-year", before=(("ingest", TO),), hit=("ingest", NEW),
             says="2002 has closed", estimates=True,
             files={"upto": (200001, 35), "new": {"200212": {}}}),
    Scenario("late", before=(("ingest", TO),), hit=("ingest", NEW),
             files={"upto": (200001, 25),
                    "new": {"200202": {"late": ("200003", "200107", "200111"), "n_late": 12}}}),
    Scenario("append", before=(("ingest", TO),), hit=("ingest", NEW),
             options='revision = "append"\n',
             files={"upto": (200001, 14), "new": {"200101-b": {}, "200005-b": {}}}),
    Scenario("supersede", before=(("ingest", TO),), hit=("ingest", NEW),
             options='revision = "supersede"\n',
             files={"upto": (200001, 14), "new": {"200006-b": {}, "200102-b": {}}}),
    Scenario("close", before=(("ingest", TO), *(("close", f"2000{m:02}") for m in range(1, 13))),
             hit=("close", "200101"), options='close = "explicit"\n', again=(0, 1),
             files={"upto": (200001, 14)}),
    Scenario("rejects", before=(("ingest", TO),), hit=("ingest", NEW),
             options="max_rejected_share = 0.5\n",
             files={"upto": (200001, 13), "new": {"200102": {"n_rejects": 7}}}),
    Scenario("refused", before=(("ingest", TO),), hit=("ingest", NEW),
             files={"upto": (200001, 13), "new": {"200102": {}, "200105": {}}}),
    Scenario("many", hit=("ingest", TO), files={"upto": (200001, 26)}),
    Scenario("after-a-kill", before=(("ingest", TO),), hit=("ingest", NEW), leftovers=True,
             files={"upto": (200001, 13), "new": {"200102": {}, "200103": {}}}),
    Scenario("withdraw", before=(("ingest", TO),), hit=("withdraw", "200005.csv"),
             again=(0, 1), files={"upto": (200001, 14)}),
    Scenario("snapshot", before=(("ingest", TO), ("ingest", NEW)), hit=("snapshot",),
             says="saved in snapshots", files={"upto": (200001, 14), "new": {"200103": {}}}),
    Scenario("month-after-snapshot", before=(("ingest", TO), ("snapshot",)),
             hit=("ingest", NEW),
             files={"upto": (200001, 24), "new": {"200201": {"late": ("200003",), "n_late": 4}}}),
    Scenario("rebuild", before=(("ingest", TO),), hit=("rebuild",),
             says="rebuilt as vintage",
             options_then='network = "active"\n[exclusions]\ncountries = ["301"]\n',
             files={"upto": (200001, 14)}),
    Scenario("withdraw-after-snapshot", before=(("ingest", TO), ("snapshot",)),
             hit=("withdraw", "200005.csv"), again=(0, 1),
             files={"upto": (200001, 25)}),
    Scenario("records-put-back", before=(("ingest", TO),), hit=("ingest", TO),
             damaged="segments/000003.parquet", says="are restored from the file", files={"upto": (200001, 8)}),
    Scenario("withdraw-damaged", before=(("ingest", TO),), hit=("withdraw", "200103.csv"),
             damaged="segments/000015.parquet", says="is withdrawn as",
             again=(0, 1), files={"upto": (200001, 26)}),
    Scenario("close-of-third-year", estimates=True,
             before=(("ingest", TO), *(("close", f"{y}{m:02}") for y in (2000, 2001, 2002)
                                       for m in range(1, 13) if (y, m) < (2002, 12))),
             hit=("close", "200212"), options='close = "explicit"\n', again=(0, 1),
             says="2002 has closed", files={"upto": (200001, 36)}),
    Scenario("watch-closes-a-year", before=(("ingest", TO),), estimates=True,
             hit=("watch", NEW, "--once", "--interval", "0"),
             says="the year has closed",
             files={"upto": (200001, 35), "new": {"200212": {}, "200301": {}}}),
    Scenario("watch", before=(("ingest", TO),), hit=("watch", NEW, "--once", "--interval", "0"),
             files={"upto": (200001, 13), "new": {"200102": {}, "200103": {}}}),
    Scenario("compact", before=(("ingest", TO), ("ingest", NEW)), hit=("compact",),
             says="of tables folded", options="estimate = []\n",
             files={"upto": (200001, 25),
                    "new": {"200202": {"late": ("200103", "200107", "200111"), "n_late": 12}}}),
    Scenario("compact-retention", before=(("ingest", TO), ("ingest", NEW)), hit=("compact",),
             says="of tables folded",
             options="estimate = []\nretention = 1\n",
             files={"upto": (200001, 25),
                    "new": {"200202": {"late": ("200103", "200107", "200111"), "n_late": 12}}}),
    Scenario("estimate", before=(("ingest", TO),), hit=("estimate", "--table", "3"),
             options="estimate = []\n",
             shows=(("estimate", "--table", "3"),),
             files={"upto": (200001, 36)}),
    Scenario("estimate-again", before=(("ingest", TO), ("estimate", "--table", "3")),
             hit=("estimate", "--table", "3", "--cold"),
             shows=(("estimate", "--table", "3"),), files={"upto": (200001, 36)}),
    Scenario("late-then-estimate", before=(("ingest", TO), ("ingest", NEW)),
             hit=("estimate", "--table", "3"),
             shows=(("estimate", "--table", "3"),),
             files={"upto": (200001, 36),
                    "new": {"200301": {"late": ("200203", "200112"), "n_late": 9}}}),
    Scenario("late-then-products", says="late records have changed",
             before=(("ingest", TO), ("estimate", "--table", "6"), ("ingest", NEW)),
             hit=("estimate", "--table", "6"), shows=(("estimate", "--table", "6"),),
             files={"upto": (200001, 36),
                    "new": {"200301": {"late": ("200203", "200112"), "n_late": 9}}}),
]


def lay_out(scenario, feed, seed):
    """Writes the scenario's files below `feed`."""
    first, n = scenario.files["upto"]
    write_feed(feed / "upto", seed, first, n)
    for name, how in scenario.files.get("new", {}).items():
        folder = feed / "new"
        folder.mkdir(exist_ok=True)
        (folder / "cities.csv").write_bytes((feed / "upto" / "cities.csv").read_bytes())
        write_month(folder, name, random.Random(f"{seed} {name} new"), **how)
