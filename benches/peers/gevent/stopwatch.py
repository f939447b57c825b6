"""CPU time and memory of this process, and the lines that report them."""

import os
import time


class Stopwatch:
    def __init__(self):
        self.processor = time.process_time_ns()
        self.elapsed = time.monotonic_ns()

    def report(self, key, operations):
        processor = time.process_time_ns() - self.processor
        elapsed = time.monotonic_ns() - self.elapsed
        print(f"{key} {processor / operations:.2f} {elapsed / operations:.2f}")


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
