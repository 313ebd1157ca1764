"""What the peers' scripts share: the work, its inputs, the timing, the comparison, the lines printed.

A script times one work of works.json with one framework and prints a JSON line for each way in which the
framework can do it. A way that fails prints its error: it is missing in the table, but not silently.
"""
import argparse
import json
import os
import pathlib
import time

import numpy as np

# What two calculations of one network may differ by, as a part of the largest value. The definition of
# a network is the same for all; float32 sums differ in their order. bfloat16 has 8 bits of mantissa, and
# the networks' weights are random: trained ones differ less.
ALLOWED = {"f32": 1e-4, "bf16": 3e-2}
WARM_UPS = 3


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=pathlib.Path, help="the folder that prepare.py has filled")
    parser.add_argument("work", type=int, help="the place in works.json")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--realtime", action="store_true", help="real-time priority while the clock runs")
    return parser.parse_args()


def works():
    return json.loads((pathlib.Path(__file__).parent.parent / "works.json").read_text())["works"]


class Session:
    """One work, and what is to be done with it."""

    def __init__(self):
        given = arguments()
        self.models, self.runs, self.threads, self.realtime = given.models, given.runs, given.threads, given.realtime
        work = works()[given.work]
        self.network, self.kind, self.precision = work["network"], work["kind"], work["precision"]
        self.shape = tuple(work["shape"])
        self.size = "x".join(map(str, self.shape))
        tensors = np.load(self.models / f"{self.network}_{self.size}.npz")
        self.input, self.expected = tensors["input"], tensors["output"]

    def path(self, ending):
        return str(self.models / f"{self.network}.{ending}")

    def measure(self, peer, make, output=None):
        """Times what `make` returns, a function without arguments.

        `output` makes an array of its result, N, channels, height, width; without it nothing is compared.
        """
        line = {"peer": peer, "network": self.network, "work": f"{self.kind} {self.precision} {self.size}"}
        try:
            run = make()
            result = run()
            if output:
                line["difference"] = self.difference(output(result))
            seconds = self.time(run)
            line["milliseconds"] = round(sorted(seconds)[len(seconds) // 2] * 1e3, 3)
            line["fastest"] = round(min(seconds) * 1e3, 3)
            if line.get("difference", 0) > ALLOWED[self.precision]:
                line["error"] = f"differs by {line['difference']:.1e}"
        except Exception as error:  # whatever a framework throws is its result
            line["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:160]
        print(json.dumps(line), flush=True)

    def difference(self, found):
        if found.shape != self.expected.shape:
            raise ValueError(f"expected shape {self.expected.shape}, found {found.shape}")
        if not np.isfinite(found).all():
            raise ValueError("expected finite values, found others")
        return float(np.abs(found.astype(np.float64) - self.expected).max() / np.abs(self.expected).max())

    def time(self, run):
        seconds = []
        self.prioritise(True)
        try:
            for _ in range(WARM_UPS):
                run()
            for _ in range(self.runs):
                start = time.perf_counter()
                run()
                seconds.append(time.perf_counter() - start)
        finally:
            self.prioritise(False)
        return seconds

    def prioritise(self, on):
        """Real-time priority for all threads of this process, or none: start-up and compilation go without."""
        if not self.realtime:
            return
        policy, parameter = (os.SCHED_FIFO, os.sched_param(10)) if on else (os.SCHED_OTHER, os.sched_param(0))
        for thread in os.listdir("/proc/self/task"):
            try:
                os.sched_setscheduler(int(thread), policy, parameter)
            except ProcessLookupError:
                pass


def passed_over(session, kinds=("infer",), precisions=("f32",)):
    """Whether a framework has nothing to do for this work."""
    return session.kind not in kinds or session.precision not in precisions
