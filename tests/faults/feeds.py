"""Small feeds with everything in them that moves figures, the same for the same seed."""

import random

HEADER = "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd"
CITIES = "city,province,area_km2\n1101,11,100\n1102,11,231.5\n2101,21,50\n3101,31,400\n"
REGIONS = ("11011", "11021", "21011", "31011")
COUNTRIES = ("301", "116", "502", "110")
N_FIRMS = 6


def months(first, n):
    """YYYYMM from `first` on."""
    year, month = divmod(first, 100)
    for _ in range(n):
        yield f"{year}{month:02}"
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def line(dice, period, reject=False):
    firm = dice.randrange(N_FIRMS)
    name = "Trade 进出口" if dice.random() < 0.05 else f"Firm {firm}"
    region, country = dice.choice(REGIONS), dice.choice(COUNTRIES)
    flow = "E" if dice.random() < 0.85 else "I"
    cents = dice.randrange(-5000 if dice.random() < 0.1 else 1, 10**6)
    value = "a lot" if reject else f"{cents / 100:.2f}"
    mode = dice.choice(("10", "14"))
    return f"{period},{flow},{firm},{name},{region},{country},01012100,{mode},{value}"


def write_month(folder, name, dice, n_lines=18, late=(), n_late=0, n_rejects=0):
    """A file named for its month, some lines late, some not to be read."""
    period = name[:6]
    lines = [line(dice, period) for _ in range(n_lines)]
    lines += [line(dice, dice.choice(late)) for _ in range(n_late)]
    lines += [line(dice, period, reject=True) for _ in range(n_rejects)]
    dice.shuffle(lines)
    (folder / f"{name}.csv").write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")


def write_feed(folder, seed, first=200001, n=25, skip=()):
    """A folder with so many months, later ones with late records, and its cities."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cities.csv").write_text(CITIES, encoding="utf-8")
    past = []
    for period in months(first, n):
        if period not in skip:
            dice = random.Random(f"{seed} {period}")
            write_month(folder, period, dice, late=past, n_late=2 if past else 0)
        past.append(period)
