"""Runs the binary on homes, whole or with a fault, and says whether a home is what it should be."""

import copy
import errno
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from exports import (AT_A_VINTAGE, SAME_BYTES, TABLES, Expected, first_difference, last_step,
                     same_estimates, wrong_changes, wrong_in_json)
from feeds import CITIES
from scenarios import lay_out

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


class NotTried(Exception):
    """Why a fault could not be made, or its outcome not be compared: a failure of the whole run."""


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
    hit: tuple = ()  # the calls that the fault hit

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

    def export(self, home, table, *options):
        """A table of a home; an error stands for one that is refused."""
        ended = self.run(home, "export", table, *options)
        said = ended.stderr.replace(str(home), "HOME")
        return ended.stdout if ended.code == 0 else f"exit {ended.code}: {said}"

    def tables(self, home, tables=TABLES):
        return {table: self.export(home, table) for table in tables}

    def why_not_counted(self, ended):
        """Why the shim says nothing of a run."""
        refused = re.search("^.*LD_PRELOAD.*$", ended.stderr, re.MULTILINE)
        if refused:
            return f"the loader refused the shim: {refused[0]}"
        with open(self.path, "rb") as file:
            head = file.read(1 << 16)
        if head.startswith(b"\x7fELF") and b"/ld-" not in head:
            return f"{self.path} is linked statically, so that no shim can be put before it"
        return f"the shim did not run in {self.path} to its end: does it pass LD_PRELOAD on?"


def flip_in_the_middle(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def needs(holds, why):
    """Stops what cannot be tried, and says why."""
    if not holds:
        raise NotTried(why)


def size_kib(home):
    """What a home takes on a file system of 4 KiB blocks."""
    return sum(-(-path.stat().st_size // 4096) * 4 for path in home.rglob("*")) + 4


class Stage:
    """A scenario made ready: its feed, the home before, and what undisturbed runs come to."""

    def __init__(self, binary, scenario, folder, seed):
        self.binary, self.scenario = binary, scenario
        self.feed, self.before = folder / "feed", folder / "before"
        self.home, self.final = folder / "home", folder / "final"
        lay_out(scenario, self.feed, seed)
        self.before.mkdir()
        (self.before / "spillover.toml").write_text(scenario.options, encoding="utf-8")
        for command in scenario.before:
            ended = self.run(self.before, command)
            needs(ended.acknowledged, f"{command} fails before any fault: {ended}")
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
        needs(self.ended.code in (0, 3), f"{self.scenario.hit} fails without a fault: {self.ended}")
        said = self.ended.stdout + self.ended.stderr
        needs(self.scenario.says in said, f"nothing says {self.scenario.says!r}: {said}")
        self.size_kib = size_kib(self.home)
        shutil.copytree(self.home, self.final)
        self.tables = self.binary.tables(self.home)
        self.shown = self.shows()
        self.newest, _ = last_step(self.home)
        self.at_vintage = {}
        self.expected = Expected(self.final, CITIES, self.scenario)
        # What an undisturbed run exports is checked too; where it is wrong, every point is.
        self.wrong = self.wrong_exports()
        verified = self.binary.run(self.home, "verify")
        # Records that are withdrawn because they are damaged stay damaged, which verify tells.
        is_told = bool(self.scenario.damaged) and "which no longer count" in verified.stdout
        needs(verified.code == 0 or is_told, f"verify fails without a fault: {verified}")
        self.verified = verified.code

    def wrong_exports(self):
        """What an undisturbed home exports wrongly, if anything."""
        for table, text in self.tables.items():
            wrong = self.expected.wrong(table, text, self.newest)
            if not wrong and not text.startswith("exit "):
                lines = self.binary.export(self.final, table, "--format", "jsonl")
                wrong = wrong_in_json(text, lines)
            if wrong:
                return f"export {table} without a fault: {wrong}"
        return wrong_changes(self.tables["changes"], self.right_at(last_step(self.final)[1]),
                             self.tables)

    def right_at(self, vintage):
        """The tables as of a vintage, from an undisturbed home."""
        if vintage == self.newest:
            return self.tables
        if vintage not in self.at_vintage:
            of = ("--vintage", str(vintage))
            self.at_vintage[vintage] = {
                table: self.binary.export(self.final, table, *of) for table in AT_A_VINTAGE}
        return self.at_vintage[vintage]

    def leave_leftovers(self):
        fault = Fault("kill", self.n_calls(CHANGES) * 3 // 5)
        self.reset()
        ended = self.run(self.home, self.scenario.hit, fault=fault)
        needs(ended.hit, f"no kill left anything: {ended}")
        shutil.rmtree(self.before)
        self.home.rename(self.before)

    def reset(self):
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.before, self.home, dirs_exist_ok=True)

    def n_calls(self, kinds, least=1):
        """How many calls of some kinds an undisturbed run makes, so many at least."""
        self.reset()
        count = self.home.parent / f"count.{kinds}"
        count.unlink(missing_ok=True)
        ended = self.run(self.home, self.scenario.hit, count=count)
        needs(count.exists(), self.binary.why_not_counted(ended))
        text = count.read_text(errors="replace")
        needs(re.fullmatch("([0-9]+\n)+", text), f"the shim's counter is unreadable: {text[:80]!r}")
        counts = [int(line) for line in text.split() if int(line) > 0]
        if not counts and not least:
            return 0
        needs(counts, f"the shim saw no call that touches {self.home}; {kinds!r} were counted in "
                      f"{len(text.split())} processes")
        needs(len(counts) == 1, f"{len(counts)} processes touch the home: a call has no number")
        return counts[0]

    def is_final(self, dice):
        """Whether the home holds and serves what the undisturbed one does, and nothing is wrong."""
        if self.wrong:
            return self.wrong
        verified = self.binary.run(self.home, "verify")
        if verified.code != self.verified:
            return f"verify: {verified.stdout[-300:]}{verified.stderr[-300:]}"
        wrong = self.other_exports() or self.other_vintage(dice)
        if wrong:
            return wrong
        shown = self.shows()
        return None if shown == self.shown else f"shows {shown} in place of {self.shown}"

    def other_exports(self):
        """The first table that the home exports otherwise than the undisturbed one."""
        served = self.binary.tables(self.home)
        for table in SAME_BYTES:
            if served[table] != self.tables[table]:
                return f"export {table}: {first_difference(served[table], self.tables[table])}"
        if not same_estimates(served["estimates"], self.tables["estimates"]):
            text = first_difference(served["estimates"], self.tables["estimates"])
            return f"export estimates: {text}"
        # What an interrupted run publishes in two steps moves the figures in two.
        newest, before = last_step(self.home)
        return wrong_changes(served["changes"], self.right_at(before), self.right_at(newest))

    def other_vintage(self, dice):
        """A table as of some vintage that the home exports otherwise."""
        vintage = dice.randint(1, self.newest)
        right = self.right_at(vintage)
        for table in AT_A_VINTAGE:
            wrong = self.expected.wrong(table, right[table], vintage)
            if wrong:
                return f"export {table} --vintage {vintage} without a fault: {wrong}"
            served = self.binary.export(self.home, table, "--vintage", str(vintage))
            if served != right[table]:
                return (f"export {table} --vintage {vintage}: "
                        f"{first_difference(served, right[table])}")
        return None

    def shows(self):
        """What the scenario's own commands print of a copy of the home."""
        if not self.scenario.shows:
            return []
        aside = self.home.with_name("aside")
        shutil.copytree(self.home, aside)
        ended = [self.run(aside, command) for command in self.scenario.shows]
        shutil.rmtree(aside)
        return [(e.code, e.stdout) for e in ended]

    def finish(self, dice):
        """Runs the command once more to its end; what is wrong after that."""
        again = self.run(self.home, self.scenario.hit)
        if again.code not in {*self.scenario.again, self.ended.code}:
            return f"run again: exit {again.code}: {again.stderr[-300:]}"
        return self.is_final(dice)

    def after(self, fault, dice):
        """Lets a fault hit, and says what is wrong then and after the restart; and how it ended."""
        self.reset()
        ended = self.run(self.home, self.scenario.hit, fault=fault)
        wrong = self.wrong_at_once(ended, dice, told=fault.action == "error")
        # A full disk stops an estimation and not the intake; the next start catches up.
        if fault.errno == errno.EIO:
            wrong = wrong or self.unnoticed(ended)
        return wrong or self.finish(dice), ended

    def wrong_at_once(self, ended, dice, told):
        """What is wrong before the restart; `told`: a run that fails says why and exits with 1."""
        if "panicked" in ended.stderr:
            return f"a panic: {ended.stderr[-400:]}"
        # What was told to the outside must be there at once, without a second run.
        if ended.acknowledged or "accepted," in ended.stdout:
            # What the next start catches up with is told, too.
            if "was not estimated" in ended.stderr:
                return None
            wrong = self.is_final(dice)
            return wrong and f"acknowledged and then {wrong}"
        if told and (ended.code != 1 or "spillover: " not in ended.stderr):
            return f"exit {ended.code}: {ended.stderr[-300:]}"
        return None

    def unnoticed(self, ended):
        """The first call that failed under a command which did not, though it should have."""
        if not ended.acknowledged:
            return None
        may = lambda call: any(pattern.fullmatch(call) for pattern in MAY_FAIL)
        call = next((call for call in ended.hit if not may(call)), None)
        return call and f"exit {ended.code}, and yet this failed: {call}"

    def in_a_small_disk(self, kib, dice):
        """The command with the home on a file system of so many KiB; then with room."""
        mount = ("mount", "-t", "tmpfs", "-o")
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        subprocess.run([*mount, f"size={kib}k", "tmpfs", self.home], check=True)
        try:
            self.reset()
            ended = self.run(self.home, self.scenario.hit)
            wrong = self.wrong_at_once(ended, dice, told=True)
            subprocess.run([*mount, "remount,size=64m", "tmpfs", self.home], check=True)
            return wrong or self.finish(dice), ended
        finally:
            subprocess.run(["umount", self.home], check=True)
