"""Shows that the script finds what it is there to find: a program that exports a wrong digit, and
faults that never happen. Each check runs the whole script on a program that stands before the real
one and does one thing wrong."""

import subprocess
import sys
import tempfile
from pathlib import Path

from home import Binary, Ended

CORRUPTS = """#!{python}
import os, subprocess, sys
program, homes = {program!r}, ""
if "export" not in sys.argv or homes not in sys.argv[2]:
    os.execv(program, [program, *sys.argv[1:]])
done = subprocess.run([program, *sys.argv[1:]], capture_output=True)
lines = done.stdout.decode().splitlines(keepends=True)
# The last digit of the second line, which is the first row of a table with a header.
places = [at for at, letter in enumerate(lines[1]) if letter.isdigit()] if len(lines) > 1 else []
if places:
    at = places[-1]
    lines[1] = lines[1][:at] + str((int(lines[1][at]) + 1) % 10) + lines[1][at + 1:]
sys.stdout.write("".join(lines))
sys.stderr.write(done.stderr.decode())
sys.exit(done.returncode)
"""
# Homes in which faults are made are in a folder of this name.
CORRUPTS_LATER = CORRUPTS.replace(', ""', ', "/home-"')
HIDES_THE_SHIM = '#!/bin/sh\nunset LD_PRELOAD\nexec "{program}" "$@"\n'
REFUSES_THE_SHIM = '#!/bin/sh\nexport LD_PRELOAD=/nowhere/shim.so\nexec "{program}" "$@"\n'
SPOILS_THE_COUNTER = """#!/bin/sh
"{program}" "$@"
code=$?
[ -z "$FAULT_COUNT" ] || echo spoiled > "$FAULT_COUNT"
exit $code
"""
NEVER_REACHED = '#!/bin/sh\n[ -z "$FAULT_AT" ] || export FAULT_AT=1000000\nexec "{program}" "$@"\n'
AS_IT_IS = '#!/bin/sh\nexec "{program}" "$@"\n'
N_POINTS = 4
# what stands before the program, the scenario, at how many points that is wrong (None: nothing can
# be tried), and what the script says
CHECKS = (
    ("the program as it is", AS_IT_IS, "first", 0, f"kill: {N_POINTS} points, 0 wrong"),
    ("a wrong digit in every export", CORRUPTS, "month", N_POINTS, "without a fault: "),
    ("a wrong digit after a fault", CORRUPTS_LATER, "month", N_POINTS, " in place of "),
    ("a program that hides the shim", HIDES_THE_SHIM, "first", None, "does it pass LD_PRELOAD on?"),
    ("a loader that refuses the shim", REFUSES_THE_SHIM, "first", None, "refused the shim"),
    ("a counter that is spoiled", SPOILS_THE_COUNTER, "first", None, "counter is unreadable"),
    ("kills that never come", NEVER_REACHED, "first", None, "no fault happened at any of"),
)


def says_static():
    """Whether a program without a loader is said to be one; not every machine can link one."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "static"
        program.write_bytes(b"\x7fELF" + bytes(1000))
        why = Binary(program, "").why_not_counted(Ended(0, "", ""))
    is_right = "is linked statically" in why
    print(f"{'ok    ' if is_right else 'FAILED'} a static program" + (f": {why}" * (not is_right)))
    return is_right


def self_test(script, program):
    """Whether every check comes out as it must: the exit code."""
    n_failed = 0 if says_static() else 1
    for name, text, scenario, n_wrong, says in CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            before = Path(folder) / "before"
            before.write_text(text.format(python=sys.executable, program=str(program)))
            before.chmod(0o755)
            ended = subprocess.run(
                [sys.executable, script, "--binary", before, "--fault", "kill", "--scenario",
                 scenario, "--points", str(N_POINTS), "--record", Path(folder) / "record.csv"],
                capture_output=True, text=True)
        said = ended.stdout + ended.stderr
        counted = "NOT TRIED" if n_wrong is None else f"kill: {N_POINTS} points, {n_wrong} wrong"
        is_right = (ended.returncode == (0 if n_wrong == 0 else 1)
                    and counted in said and says in said)
        print(f"{'ok    ' if is_right else 'FAILED'} {name}", flush=True)
        if not is_right:
            n_failed += 1
            print(f"exit {ended.returncode}, expected {counted!r} and {says!r} in:\n{said}")
    print(f"self-test: {len(CHECKS) + 1} checks, {n_failed} failed")
    return 1 if n_failed else 0
