"""Random stories of a feed: files in order and late, amended, cancelled, appended, superseded and
withdrawn; after each the tables are those of `oracle.py`."""

import random
from collections import Counter

import feeds
from oracle import Tables, cities_of, difference, records_of

CITIES = ("city,province,area_km2\n1101,11,100\n1102,11,231.5\n1103,11,7\n2101,21,50\n"
          "3101,31,400\n3102,31,9.25\n")


# lines that are rejected for a code, whatever else is in them
NO_CODES = ("{},E,3.1E+09,F,11011,301,01012100,10,5.00", "{},E,1,F,11011,德国,01012100,10,5.00",
            "{},E,1,F,21011,502,1.0121E+06,10,5.00", "{},E,1,F,21011,DEU,01012100,10,5.00")


class Story:
    def __init__(self, binary, folder, seed):
        self.binary, self.home, self.feed = binary, folder / "home", folder / "feed"
        self.dice = random.Random(seed)
        self.feed.mkdir(parents=True)
        self.home.mkdir()
        (self.feed / "cities.csv").write_text(CITIES)
        dice = self.dice
        self.options = {
            "network": dice.choice(("founded", "active")),
            "own_plants": dice.choice(("include", "exclude")),
            "weights": dice.choice(("total", "destination")),
            "close": dice.choice(("file", "explicit")),
            "revision": dice.choice(("append", "supersede")),
        }
        text = "max_rejected_share = 1.0\n"
        text += "".join(f'{k} = "{v}"\n' for k, v in self.options.items())
        (self.home / "spillover.toml").write_text(text)
        self.first = dice.choice((200001, 200004))
        self.months = list(feeds.months(self.first, dice.randrange(14, 38)))
        self.live, self.closed, self.past, self.n_files = {}, [], [], 0
        self.n_rows = Counter()  # compared, by table

    def line(self, period):
        """Something new, or what was there before again: more, less, or gone."""
        dice = self.dice
        if dice.random() < 0.02:
            return dice.choice(NO_CODES).format(period)
        if self.past and dice.random() < 0.35:
            old, cents = dice.choice(self.past)
            cents = dice.choice((-cents, -cents // 2, cents, -2 * cents))
            fields = old.split(",")
            fields[-1] = amount(cents)
            if int(fields[0]) > int(period):
                return None
            return ",".join(fields)
        cents = dice.choice((1, 100, dice.randrange(1, 10**7)))
        name = dice.choice(("Firm", "Firm", "Firm", "某贸易公司")) if dice.random() < 0.2 else "F"
        city = dice.choice(CITIES.split()[1:]).split(",")[0]
        line = (f"{period},{dice.choice('EEEEI')},{dice.randrange(7)},{name},{city}1,"
                f"{dice.choice(('301', '116', '502', '110'))},01012100,10,{amount(cents)}")
        self.past.append((line, cents))
        return line

    def file(self, period):
        self.n_files += 1
        path = self.feed / f"{period}-{self.n_files:03}.csv"
        lines = [self.line(period) for _ in range(self.dice.randrange(0, 16))]
        text = "\n".join([feeds.HEADER, *filter(None, lines), ""])
        path.write_text(text, encoding="utf-8")
        return path

    def take_in(self, paths):
        ended = self.binary.run(self.home, "ingest", *map(str, paths),
                                "--workers", str(self.dice.choice((1, 2))))
        assert ended.code in (0, 3), ended  # 3: a line was rejected
        for path in sorted(paths):
            period = path.name[:6]
            text = path.read_text(encoding="utf-8")
            same = [p for p in self.live if p.read_text(encoding="utf-8") == text]
            if same and text.count("\n") > 1:
                continue
            if self.options["revision"] == "supersede":
                self.live = {p: q for p, q in self.live.items() if q != period}
            self.live[path] = period
            if self.options["close"] == "file" and self.next_to_close() == period:
                self.closed.append(period)

    def next_to_close(self):
        return list(feeds.months(self.first, len(self.closed) + 1))[-1]

    def play(self):
        """What is wrong, if anything."""
        waiting = list(self.months)
        while waiting:
            n = min(len(waiting), self.dice.choice((1, 1, 1, 5, 14)))
            paths, waiting = [self.file(period) for period in waiting[:n]], waiting[n:]
            self.take_in(paths)
            if self.dice.random() < 0.3:
                old = self.dice.choice(sorted(set(self.live.values())))
                self.take_in([self.file(old)])
            if self.dice.random() < 0.15 and len(self.live) > 3:
                self.withdraw(self.dice.choice(sorted(self.live)[1:]))
            self.close_some()
            if self.dice.random() < 0.5 or not waiting:
                wrong = self.compare()
                if wrong:
                    return f"{self.options}: {wrong}"
        verified = self.binary.run(self.home, "verify")
        wrong = None if verified.code == 0 else verified.stdout
        return wrong and f"{self.options}: {wrong}"

    def withdraw(self, path):
        ended = self.binary.run(self.home, "withdraw", path.name)
        assert ended.code == 0, ended
        del self.live[path]

    def close_some(self):
        if self.options["close"] != "explicit":
            return
        newest = max(self.live.values())
        while self.next_to_close() <= newest and self.dice.random() < 0.8:
            period = self.next_to_close()
            ended = self.binary.run(self.home, "close", period)
            assert ended.code == 0, ended
            self.closed.append(period)

    def compare(self):
        records = [r for path in self.live for r in records_of(path.read_text(encoding="utf-8"))]
        tables = Tables(records, map(int, self.closed), cities_of(CITIES), self.options)
        for name, rows in (("city", tables.city()), ("plant", tables.plant())):
            rows = list(rows)
            self.n_rows[name] += len(rows)
            ended = self.binary.run(self.home, "export", name)
            wrong = difference(ended.stdout, rows) if ended.code == 0 else ended.stderr
            if wrong:
                return f"table {name} after {len(self.live)} files: {wrong}"
        return None


def amount(cents):
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
