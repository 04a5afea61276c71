"""The points of a scenario at which a fault of some kind can be made, and each of them tried.

A point counts as tried once its fault has happened: a kill that came after the end of the run, or a
disk with room for all of it, shows nothing.
"""

import errno
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from disk import Disk, read_trace
from flips import flip_points, flipped
from home import ALL_CALLS, CHANGES, SECONDS_MAX, Fault, NotTried, needs, size_kib

STAGE = None  # one a process: a home is in one place at a time
NOT_REACHED = "not reached"  # how a point ends whose fault did not happen


# ── one point: what is wrong, and how it ended ───────────────────────────────────────────────────


def start(first, folder):
    global STAGE
    STAGE = first.elsewhere(Path(tempfile.mkdtemp(prefix="home-", dir=folder)))


def tried(attempt, point):
    try:
        return attempt(point)
    except subprocess.TimeoutExpired as late:
        return f"{point}: {late.cmd[3:]} still runs after {SECONDS_MAX} s", "hangs"


def hit(fault):
    wrong, ended = STAGE.after(fault, random.Random(str(fault)))
    if not ended.hit:
        return wrong and f"{fault}, which the run did not reach: {wrong}", NOT_REACHED
    how = f"exit {ended.code}" if fault.action == "error" else "killed"
    if fault.action == "error" and ended.acknowledged:
        # kind of call and file, or the folder of many
        first = re.sub("(/[^/]+)/.*", r"\1/*", ended.hit[0])
        how += f" ({first})"
    return wrong and f"{fault}: {wrong}", how


def fill(kib):
    wrong, ended = STAGE.in_a_small_disk(kib, random.Random(kib))
    is_hit = ended.code == 1 or "No space left" in ended.stderr
    how = f"exit {ended.code}" if is_hit else NOT_REACHED
    return wrong and f"a disk of {kib} KiB: {wrong}", how


def lose_power(point):
    """Power is lost after so many calls of an undisturbed run."""
    n_calls, seed = point
    dice = random.Random(seed) if seed is not None else None
    disk = Disk(STAGE.before, STAGE.home)
    calls = STAGE.trace[:n_calls]
    for _, kind, path, other, offset, data in calls:
        disk.step(kind, path, other, offset, data)
    disk.after_power_loss(STAGE.home, dice)
    what = f"power lost after call {n_calls} of {len(STAGE.trace)}, dice {seed}"
    vintages = random.Random(str(point))
    if n_calls >= len(STAGE.trace):
        wrong = STAGE.is_final(vintages)
        if wrong:
            return f"{what}: acknowledged and then {wrong}", "acknowledged"
    wrong = STAGE.finish(vintages)
    return wrong and f"{what}: {wrong}", "restarted"


def flip(point):
    return flipped(STAGE, point)


def trace_here():
    """The calls of an undisturbed run, on the home of this process."""
    STAGE.trace = calls_of(STAGE)


def calls_of(stage):
    stage.reset()
    path = stage.home.parent / "trace"
    path.unlink(missing_ok=True)
    ended = stage.run(stage.home, stage.scenario.hit, trace=path)
    needs(path.exists(), stage.binary.why_not_counted(ended))
    calls = list(read_trace(path))
    needs(calls, f"the shim saw no call that touches {stage.home}")
    return calls


def start_traced(*how):
    start(*how)
    trace_here()


# ── points of a scenario ─────────────────────────────────────────────────────────────────────────


def does_not_apply(fault, scenario):
    """Why a kind of fault has no point in a scenario, if so."""
    if fault == "flip" and not scenario.before:
        return "the home is empty before it"
    return None


def errors(stage, kinds, number):
    """Each call of some kinds fails, once or from then on."""
    return [Fault("error", at, kinds, number, forever)
            for at in range(1, stage.n_calls(kinds) + 1) for forever in (False, True)]


def points_of(fault, stage, dice):
    """Every point of a kind of fault, and the function that tries one."""
    if fault == "kill":
        n = stage.n_calls(ALL_CALLS)
        return hit, [Fault("kill", at, ALL_CALLS) for at in range(1, n + 1)]
    if fault == "torn":
        return hit, [Fault("torn", at) for at in range(1, stage.n_calls(CHANGES) + 1)]
    if fault in ("fsync", "read", "eio", "enospc"):
        kinds = {"fsync": "s", "read": "pr"}.get(fault, CHANGES)
        return hit, errors(stage, kinds, errno.ENOSPC if fault == "enospc" else errno.EIO)
    if fault == "full":
        return fill, list(range(size_kib(stage.before) + 4, stage.size_kib + 160, 4))
    if fault == "power":
        n = len(calls_of(stage))
        # The last one is after all calls, of which another run may make more.
        return lose_power, [(at, seed) for at in (*range(n), sys.maxsize)
                            for seed in (None, dice.randrange(10**6), dice.randrange(10**6))]
    return flip, flip_points(stage, dice)


def chosen_points(fault, points, n, dice):
    """All points in some order, or so many of them."""
    points = list(points)
    # The smallest disk is surely full.
    first = points[:1] if fault == "full" else []
    rest = points[len(first):]
    dice.shuffle(rest)
    return (first + rest)[: None if n == "all" else int(n)]


def try_all(args, seed, stage, fault, deadline):
    """Tries the points of a scenario, at random while the budget lasts: how many there are, how
    many were tried and are wrong, in how many seconds, and how they ended."""
    scenario = stage.scenario
    began, dice = time.monotonic(), random.Random(f"{seed} {scenario.name} {fault}")
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=args.scratch))
    try:
        attempt, points = points_of(fault, stage, dice)
        n_all = len(points)
        points = chosen_points(fault, points, args.points, dice)
        prepare = start_traced if fault == "power" else start
        wrongs, ends = [], Counter()
        with ProcessPoolExecutor(args.jobs, initializer=prepare,
                                 initargs=(stage, folder)) as pool:
            for chunk in range(0, len(points), 16 * args.jobs):
                if time.monotonic() > deadline:
                    break
                some = points[chunk : chunk + 16 * args.jobs]
                for wrong, how in pool.map(partial(tried, attempt), some):
                    ends[how] += 1
                    if wrong:
                        wrongs.append(wrong)
                        print(f"WRONG {scenario.name}, seed {seed}: {wrong}", flush=True)
        n_reached = sum(ends.values()) - ends[NOT_REACHED]
        told = ", ".join(f"{k} {v}" for k, v in sorted(ends.items()))
        seconds = time.monotonic() - began
        print(f"{fault:8} {scenario.name:24} {n_reached:6} of {n_all} points, {len(wrongs)} wrong, "
              f"{seconds:.0f} s: {told}", flush=True)
        if not n_reached and not wrongs:
            raise NotTried(f"no fault happened at any of {n_all} points: {told or 'no time left'}")
        return (n_all, n_reached, len(wrongs), f"{seconds:.0f}", told)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
