# SPDX-License-Identifier: Apache-2.0
"""What is measured goes before what else the machine does, so that its figures are of itself."""
import os
import sys


class Realtime:
    """go_first(pids): if it is wanted, and allowed (root; some containers do not)."""

    def __init__(self, wanted):
        self.wanted = wanted

    def go_first(self, *pids):
        for pid in pids if self.wanted else ():
            try:
                os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))
            except PermissionError:
                print("not allowed to go first: what else the machine does is in the figures", file=sys.stderr)
                self.wanted = False
                return
