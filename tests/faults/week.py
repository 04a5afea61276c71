"""A week of monthly files, a simulated month every so often, in one watcher that is asked to stop and
killed at random moments, and copied while it runs; in the end the home is what one `ingest` makes."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

from exports import SAME_BYTES

SECONDS_MAX = 900  # without a month taken in


class Week:
    def __init__(self, binary, folder, seed, n_months):
        self.binary, self.folder, self.dice = binary, folder, random.Random(f"week {seed}")
        self.home, self.feed, self.all = folder / "home", folder / "feed", folder / "all"
        self.feed.mkdir(parents=True)
        to = f"{2000 + (n_months - 1) // 12}-{(n_months - 1) % 12 + 1:02}"
        done = subprocess.run([binary.path, "simulate", "--out", self.all, "--to", to, "--firms",
                               "60", "--seed", str(seed)], capture_output=True)
        assert done.returncode == 0, done.stderr
        for path in self.all.glob("*.csv"):
            if not path.name[0].isdigit():
                shutil.copy(path, self.feed)
        self.months = sorted(self.all.glob("[0-9]*.csv"))
        self.child, self.ends = None, {"stopped": 0, "killed": 0, "copied": 0}

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.child = subprocess.Popen([self.binary.path, "--data", self.home, "watch", self.feed,
                                           "--interval", "0.03", "--workers",
                                           self.dice.choice("12")], stderr=log)

    def end(self, how):
        """Ends the watcher; what is wrong with how it ended."""
        self.child.send_signal(how)
        code = self.child.wait(SECONDS_MAX)
        self.ends["stopped" if how == signal.SIGTERM else "killed"] += 1
        # Before it has got to listening, the signal ends it as it ends any process.
        expected = (0, -how) if how == signal.SIGTERM else (-how,)
        return None if code in expected else f"signal {how}: ended with {code}"

    def vintage(self):
        try:
            with closing(sqlite3.connect(f"file:{self.home}/manifest.sqlite?mode=ro", uri=True)) as db:
                return db.execute("SELECT max(vintage) FROM files").fetchone()[0] or 0
        except sqlite3.OperationalError:
            return 0

    def copy(self):
        """A copy as OPERATIONS.md has it."""
        into = self.folder / f"copy-{self.ends['copied']}"
        into.mkdir()
        shutil.copy(self.home / "acknowledged", into)
        with closing(sqlite3.connect(self.home / "manifest.sqlite")) as of, \
                closing(sqlite3.connect(into / "manifest.sqlite")) as to:
            of.backup(to)
        for name in ("segments", "published", "snapshots", "panel", "memory"):
            subprocess.run(["cp", "-a", self.home / name, into], capture_output=True)
        self.ends["copied"] += 1

    def play(self):
        """What is wrong, if anything."""
        self.start()
        wrong = None
        try:
            for n, month in enumerate(self.months, 1):
                part = self.feed / f".{month.name}.partial"
                shutil.copy(month, part)
                os.rename(part, self.feed / month.name)
                wrong = wrong or self.disturb(n) or self.wait(n)
        finally:
            stopped = self.end(signal.SIGTERM)
        self.ends["stopped"] -= 1  # the last one disturbs nothing
        return wrong or stopped or self.compare()

    def disturb(self, n):
        if n > 2 and self.dice.random() < 0.1:
            self.copy()
        if self.dice.random() < 0.35:
            time.sleep(self.dice.random() * 0.25)
            wrong = self.end(self.dice.choice((signal.SIGTERM, signal.SIGKILL)))
            self.start()
            return wrong
        return None

    def wait(self, n):
        began = time.monotonic()
        while self.vintage() < n:
            if self.child.poll() is not None or time.monotonic() - began > SECONDS_MAX:
                return f"month {n} never came: {(self.folder / 'log').read_text()[-500:]}"
            time.sleep(0.005)
        return None

    def compare(self):
        once = self.folder / "once"
        ended = self.binary.run(once, "ingest", str(self.all), "--workers", "1")
        assert ended.code == 0, ended
        tables = lambda home: self.binary.tables(home, SAME_BYTES)
        mine, other = tables(self.home), tables(once)
        wrong = [table for table in SAME_BYTES if mine[table] != other[table]]
        if wrong:
            return f"other {', '.join(wrong)} than one ingest makes"
        verified = self.binary.run(self.home, "verify")
        if verified.code != 0:
            return f"verify: {verified.stdout[-300:]}"
        vintages = [line.split(",")[0] for line in mine["files"].splitlines()[1:]]
        if vintages != [str(n) for n in range(1, len(self.months) + 1)]:
            return f"not every vintage is listed: {vintages}"
        return next(filter(None, map(self.compare_copy, range(self.ends["copied"]))), None)

    def compare_copy(self, number):
        copy = self.folder / f"copy-{number}"
        files = self.binary.run(copy, "export", "files")
        vintage = files.stdout.splitlines()[-1].split(",")[0]
        for table in ("city", "plant"):
            then = self.binary.run(self.home, "export", table, "--vintage", vintage)
            if self.binary.run(copy, "export", table).stdout != then.stdout:
                return f"copy {number} has another {table} as of vintage {vintage}"
        ended = self.binary.run(copy, "ingest", str(self.all))
        tables = [self.binary.tables(home, SAME_BYTES) for home in (copy, self.home)]
        if ended.code != 0 or tables[0] != tables[1]:
            return f"copy {number} does not catch up: {ended.stderr[-300:]}"
        return None
