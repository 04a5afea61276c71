"""Runs the binary on homes, whole or with a fault, and says whether a home is what it should be."""

import copy
import errno
import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from scenarios import lay_out

TABLES = ("city", "plant", "files", "rejects")
CHANGES = "owsnudt"  # calls that change the disk
ALL_CALLS = CHANGES + "prc"  # and those that read it
SECONDS_MAX = 900
# What may fail without the command failing, by kind of call and path in the home: what tells of the
# process, what is computed anew, what is removed once nothing needs it any more.
MAY_FAIL = tuple(re.compile(pattern) for pattern in (
    r". /(heartbeat|watched)\.json.*",
    # `estimate` without the lock reads, and keeps nothing
    r". /lock",
    # who cannot mark that it reads does without; who cannot tell whether anybody does removes nothing
    r". /readers",
    r"[pr] /(snapshots|panel|memory)/.*",
    r"u /(snapshots|panel|memory|segments|published)/.*",
    # a reader does without the log where it cannot be opened, and says so only if it is not empty
    r"[opu] /manifest\.sqlite-wal",
    r"[optuwr] /manifest\.sqlite-shm",
    r"c /.*",
    # the folder itself: SQLite and the heartbeat sync it after a file is new there, and opening a
    # home to write does so again
    r"[ps] ",
))
# tables that say how often something was done or how long it took, beside what it came to
WHEN = ("seals", "panels", "estimates", "memories", "sqlite_sequence")


@dataclass
class Fault:
    """What happens at which call (see shim.c)."""

    action: str
    at: int
    kinds: str = CHANGES
    errno: int = errno.EIO
    forever: bool = False

    def environment(self):
        made = {"FAULT_ACTION": self.action, "FAULT_AT": str(self.at),
                "FAULT_KINDS": self.kinds, "FAULT_ERRNO": str(self.errno)}
        return made | ({"FAULT_FOREVER": "1"} if self.forever else {})

    def __str__(self):
        word = f" {errno.errorcode[self.errno]}" if self.action == "error" else ""
        return f"{self.action}{word}{' for good' if self.forever else ''} at call {self.at}"


@dataclass
class Ended:
    code: int
    stdout: str
    stderr: str
    failed: tuple = ()  # the calls that were made to fail

    @property
    def acknowledged(self):
        return self.code in (0, 3)


class Binary:
    """The program under test and the shim before it."""

    def __init__(self, path, shim):
        self.path, self.shim = str(path), str(shim)

    def run(self, home, *arguments, fault=None, count=None, trace=None, limit=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FAULT_")}
        environment |= {"RUST_BACKTRACE": "0"}
        if fault or count or trace:
            environment |= {"LD_PRELOAD": self.shim, "FAULT_HOME": str(home)}
            environment |= fault.environment() if fault else {}
            environment |= {"FAULT_COUNT": str(count)} if count else {}
            environment |= {"FAULT_TRACE": str(trace)} if trace else {}
        told = Path(home).with_name("told")
        told.unlink(missing_ok=True)
        if fault:
            environment["FAULT_TOLD"] = str(told)
        if count and not fault:
            environment["FAULT_KINDS"] = count.suffix[1:]
        done = subprocess.run([self.path, "--data", str(home), *arguments], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX)
        return Ended(done.returncode, done.stdout.decode("utf-8", "replace"),
                     done.stderr.decode("utf-8", "replace"),
                     tuple(told.read_text().splitlines()) if told.exists() else ())

    def commands(self):
        text = subprocess.run([self.path, "--help"], capture_output=True).stdout.decode()
        return {words[0] for words in map(str.split, text.splitlines()) if words}

    def tables(self, home):
        """What the home serves; an error stands for a table that is refused."""
        tables = {}
        for table in TABLES:
            ended = self.run(home, "export", table)
            tables[table] = ended.stdout if ended.code == 0 else f"exit {ended.code}"
        return tables


def content(home):
    """All that a home holds for good: if two homes agree in it, so does all that they serve."""
    rows = {}
    with closing(sqlite3.connect(f"file:{home}/manifest.sqlite?mode=ro", uri=True)) as database:
        names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (name,) in names.fetchall():
            if name not in WHEN:
                rows[name] = sorted(map(repr, database.execute(f'SELECT * FROM "{name}"')))
    for folder in ("segments", "published"):
        for path in sorted((Path(home) / folder).rglob("*.parquet")):
            rows[str(path.relative_to(home))] = path.read_bytes()
    return rows


def estimated(home):
    """The newest estimate of each column and year, without what tells how it was computed."""
    with closing(sqlite3.connect(f"file:{home}/manifest.sqlite?mode=ro", uri=True)) as database:
        rows = database.execute('SELECT specification, "column", through, model, error '
                                "FROM estimates ORDER BY estimate").fetchall()
    newest = {}
    for *of, model, error in rows:
        model = json.loads(model)["estimate"] if model else {}
        for how in ("iterations", "relative_residual", "warm_start"):
            model.pop(how, None)
        terms = [value for term in model.get("terms", ()) for value in term.values()]
        newest[tuple(of)] = (error, model.get("n_obs"), *terms)
    return newest


def same_estimates(one, other):
    """Iterations that begin elsewhere end within the tolerance of the solution."""
    def same(a, b):
        numbers = isinstance(a, float) and isinstance(b, float)
        return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-8) if numbers else a == b
    return one.keys() == other.keys() and all(
        len(one[key]) == len(other[key]) and all(map(same, one[key], other[key])) for key in one)


def flip_in_the_middle(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


class Stage:
    """A scenario made ready: its feed, the home before, and what undisturbed runs come to."""

    def __init__(self, binary, scenario, folder, seed):
        self.binary, self.scenario = binary, scenario
        self.feed, self.before = folder / "feed", folder / "before"
        self.home = folder / "home"
        lay_out(scenario, self.feed, seed)
        self.before.mkdir()
        (self.before / "spillover.toml").write_text(scenario.options, encoding="utf-8")
        for command in scenario.before:
            ended = self.run(self.before, command)
            assert ended.acknowledged, (command, ended)
        if scenario.options_then:
            (self.before / "spillover.toml").write_text(scenario.options_then, encoding="utf-8")
        if scenario.damaged:
            flip_in_the_middle(self.before / scenario.damaged)
        self.undisturbed()
        if scenario.leftovers:
            self.leave_leftovers()

    def elsewhere(self, folder):
        """The same stage with a home of its own: feed and home before are read only."""
        other = copy.copy(self)
        other.home = folder / "home"
        return other

    def run(self, home, command, **how):
        words = [word.format(feed=self.feed) for word in command]
        return self.binary.run(home, *words, **how)

    def undisturbed(self):
        self.reset()
        self.ended = self.run(self.home, self.scenario.hit)
        assert self.ended.code in (0, 3), self.ended
        said = self.ended.stdout + self.ended.stderr
        assert self.scenario.says in said, (self.scenario.says, said)
        self.content = content(self.home)
        self.tables = self.binary.tables(self.home)
        self.estimated = estimated(self.home)
        self.shown = self.shows()
        verified = self.binary.run(self.home, "verify")
        assert verified.code == 0, verified

    def leave_leftovers(self):
        fault = Fault("kill", self.n_calls(CHANGES) * 3 // 5)
        self.reset()
        self.run(self.home, self.scenario.hit, fault=fault)
        shutil.rmtree(self.before)
        self.home.rename(self.before)

    def reset(self):
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.before, self.home, dirs_exist_ok=True)

    def n_calls(self, kinds):
        """How many calls of some kinds an undisturbed run makes."""
        self.reset()
        count = self.home.parent / f"count.{kinds}"
        self.run(self.home, self.scenario.hit, count=count)
        return int(count.read_text())

    def is_final(self):
        """Whether the home holds and serves what the undisturbed one does, and nothing is wrong."""
        verified = self.binary.run(self.home, "verify")
        if verified.code != 0:
            return f"verify: {verified.stdout[-300:]}{verified.stderr[-300:]}"
        if content(self.home) != self.content:
            served = self.binary.tables(self.home)
            wrong = [table for table in TABLES if served[table] != self.tables[table]]
            if wrong:
                return f"other figures in {', '.join(wrong)}"
        if self.scenario.estimates and not same_estimates(estimated(self.home), self.estimated):
            return "other estimates"
        shown = self.shows()
        return None if shown == self.shown else f"shows {shown} in place of {self.shown}"

    def shows(self):
        """What the scenario's own commands print of a copy of the home."""
        if not self.scenario.shows:
            return []
        aside = self.home.with_name("aside")
        shutil.copytree(self.home, aside)
        ended = [self.run(aside, command) for command in self.scenario.shows]
        shutil.rmtree(aside)
        return [(e.code, e.stdout) for e in ended]

    def finish(self):
        """Runs the command once more to its end; what is wrong after that."""
        again = self.run(self.home, self.scenario.hit)
        if again.code not in {*self.scenario.again, self.ended.code}:
            return f"run again: exit {again.code}: {again.stderr[-300:]}"
        return self.is_final()

    def after(self, fault):
        """Lets a fault hit, and says what is wrong then and after the restart; and how it ended."""
        self.reset()
        ended = self.run(self.home, self.scenario.hit, fault=fault)
        wrong = self.wrong_at_once(ended, fault.action == "error")
        # A full disk stops an estimation and not the intake; the next start catches up.
        if fault.errno == errno.EIO:
            wrong = wrong or self.unnoticed(ended)
        return wrong or self.finish(), ended

    def wrong_at_once(self, ended, told):
        """What is wrong before the restart; `told`: a run that fails says why and exits with 1."""
        if "panicked" in ended.stderr:
            return f"a panic: {ended.stderr[-400:]}"
        # What was told to the outside must be there at once, without a second run.
        if ended.acknowledged or "accepted," in ended.stdout:
            # What the next start catches up with is told, too.
            if "was not estimated" in ended.stderr:
                return None
            wrong = self.is_final()
            return wrong and f"acknowledged and then {wrong}"
        if told and (ended.code != 1 or "spillover: " not in ended.stderr):
            return f"exit {ended.code}: {ended.stderr[-300:]}"
        return None

    def unnoticed(self, ended):
        """The first call that failed under a command which did not, though it should have."""
        if not ended.acknowledged:
            return None
        may = lambda call: any(pattern.fullmatch(call) for pattern in MAY_FAIL)
        call = next((call for call in ended.failed if not may(call)), None)
        return call and f"exit {ended.code}, and yet this failed: {call}"

    def in_a_small_disk(self, kib):
        """The command with the home on a file system of so many KiB; then with room."""
        mount = ("mount", "-t", "tmpfs", "-o")
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        subprocess.run([*mount, f"size={kib}k", "tmpfs", self.home], check=True)
        try:
            self.reset()
            ended = self.run(self.home, self.scenario.hit)
            wrong = self.wrong_at_once(ended, told=True)
            subprocess.run([*mount, "remount,size=64m", "tmpfs", self.home], check=True)
            return wrong or self.finish(), ended
        finally:
            subprocess.run(["umount", self.home], check=True)
