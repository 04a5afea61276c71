"""Bits flipped and files cut short in a home at rest: found or harmless, never a wrong figure."""

import random
import sqlite3

from exports import SAME_BYTES, TABLES, asked, first_difference

COMMANDS = (*(("export", table) for table in TABLES), ("status", "--json"), ("verify",))

# where the manifest names files
NAMED = (("files", "segment_path"), ("parts", "path"), ("snapshots", "path"), ("panels", "path"),
         ("memories", "path"))


def flip_points(stage, dice):
    """Places in the files of the home before the command: a bit flipped, or a length cut to."""
    points = []
    for path in sorted(stage.before.rglob("*")):
        if path.is_file() and path.name not in ("spillover.toml", "lock"):
            size, name = path.stat().st_size, str(path.relative_to(stage.before))
            points += [(name, "bit", dice.randrange(8 * size)) for _ in range(min(size, 4096))]
            points += [(name, "cut", dice.randrange(size)) for _ in range(min(size, 64))]
    return points


def damage(path, kind, at):
    data = bytearray(path.read_bytes())
    if kind == "cut":
        del data[at:]
    else:
        data[at // 8] ^= 1 << at % 8
    path.write_bytes(data)


def flipped(stage, point):
    """Damages the home before the command; what is wrong then, and whether it was noticed."""
    name, kind, at = point
    what = f"{name}, {kind} {at}"
    right = served_before(stage)
    stage.reset()
    damage(stage.home / name, kind, at)
    noticed = False
    for command in right:
        ended = stage.run(stage.home, command)
        if "panicked" in ended.stderr or ended.code not in (0, 1):
            return f"{what}: {command}: exit {ended.code}: {ended.stderr[-300:]}", "wrong"
        if ended.code != 0:
            noticed = True
            if command != ("verify",) and not names_a_file(stage, ended.stderr):
                return f"{what}: {command} names no file: {ended.stderr}", "wrong"
        elif ended.stdout != right[command]:
            # `verify` that finds damage ends with 1, whichever vintages need what is damaged.
            return f"{what}: {command} ends with 0 and says otherwise", "wrong"
    ended = stage.run(stage.home, stage.scenario.hit)
    if "panicked" in ended.stderr or ended.code not in (0, 1, 3):
        return f"{what}: goes on with exit {ended.code}: {ended.stderr[-300:]}", "wrong"
    if ended.code == 1:
        lost = missing(stage)
        if lost:
            return f"{what}: refused, and yet {lost} was removed", "wrong"
        return None, "found at once" if noticed else "found on going on"
    # A damaged part that is not read by this command may be found later, by whoever reads it.
    wrong = right_or_refused(stage) if noticed else stage.is_final(random.Random(what))
    return wrong and f"{what}: {wrong}", "found by readers" if noticed else "harmless"


def right_or_refused(stage):
    """The first table of a damaged home that is exported, and is not the right one."""
    for table in SAME_BYTES:
        served = stage.binary.export(stage.home, table)
        if served != stage.tables[table] and not served.startswith("exit 1: "):
            return f"export {table}: {first_difference(served, stage.tables[table])}"
    return None


def served_before(stage):
    if not hasattr(stage, "served"):
        stage.reset()
        ran = {command: stage.run(stage.home, command) for command in COMMANDS}
        stage.named = named(stage)
        stage.served = {command: ended.stdout for command, ended in ran.items() if ended.code == 0}
    return stage.served


def names_a_file(stage, text):
    return str(stage.home) in text


def named(stage):
    """The files that the manifest names."""
    return [path for table, column in NAMED for path, in asked(
        stage.home, f"SELECT {column} FROM {table}")]


def missing(stage):
    """The first file that the manifest named before the damage and that is gone. What a killed run
    left is named by nothing, and the next writer clears it away. An estimation that fails later has
    replaced panels and memories of years that late records changed."""
    try:
        now = named(stage)
    except sqlite3.Error:
        now = stage.named
    for path in stage.named:
        is_replaced = path not in now and path.startswith(("panel/", "memory/"))
        if (stage.before / path).exists() and not (stage.home / path).exists() and not is_replaced:
            return path
    return None
