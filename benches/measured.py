"""A command run to its end, and what it took: what the scripts in this folder measure by."""

import os
import subprocess
import sys
import time


def to_end(command, cores=None, cwd=None):
    """Seconds, processor seconds, peak memory in MiB, and what it printed; ends with its failure."""
    # With something to do before it starts, the child is a fork. Otherwise it would share this
    # process's memory until then, and its peak would not be below the highest that this one had.
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else (lambda: None)
    command = [str(word) for word in command]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pin, cwd=cwd)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {child.returncode}\n{out}")
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime,
            "peak_mib": usage.ru_maxrss / 1024, "out": out}


def of_home(binary, home, *words):
    """A command on a home: its standard output, seconds and processor seconds."""
    done = to_end([binary, "--data", home, *words])
    return done["out"], done["seconds"], done["cpu"]
