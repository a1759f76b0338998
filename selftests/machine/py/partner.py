# SPDX-License-Identifier: GPL-2.0
"""A second machine beside the one of this run, on the other end of its network cable.

It is a run of its own, of another suite, whose results count here and without
whose last line this run has failed. The cable is a pair of sockets that only the
two emulators have: nothing of the host's network is used. Both clocks are held to
the host's, for otherwise the machine that waits would be minutes ahead.
"""

import re
import signal
import socket
import subprocess
import sys
import threading
import time

SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")
MACS = ("52:54:00:00:00:0a", "52:54:00:00:00:0b")   # of this machine, of its partner
BUFFER = 4 << 20            # of the cable; the kernel gives what it allows
STOP_SECONDS = 15


def cable():
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return ends


class Partner:
    def __init__(self, run, name, timeout):
        self.end, theirs = cable()
        self.summary = None
        argv = [sys.executable, run, "--cable", str(theirs.fileno()), "--timeout", str(timeout), name]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        pass_fds=(theirs.fileno(),))
        theirs.close()
        self.reader = threading.Thread(target=self.copy, daemon=True)
        self.reader.start()

    def copy(self):
        for line in self.process.stdout:
            print(f"partner| {line}", end="", flush=True)
            match = SUMMARY.match(line.strip())
            if match:
                self.summary = tuple(int(n) for n in match.groups())

    def failed(self):
        """It has ended, and not well: this machine waits for it in vain."""
        return self.process.poll() not in (None, 0)

    def finish(self, seconds):
        """Let it end by itself, or end it; (passed, failed, skipped), why it failed."""
        why = ""
        try:
            self.process.wait(max(seconds, 1))
        except subprocess.TimeoutExpired:
            why = "the partner was ended with this machine"
            self.stop()
        self.reader.join(STOP_SECONDS)
        if not self.summary:
            return (0, 1, 0), why or "the partner wrote no last line"
        if self.process.returncode and not self.summary[1]:
            return (0, 1, 0), why or f"the partner ended with {self.process.returncode}"
        return self.summary, why or ("the partner failed" if self.summary[1] else "")

    def stop(self):
        """By the signal at which it ends its emulator."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + STOP_SECONDS
            while self.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.process.poll() is None:
                self.process.kill()
        self.process.wait()
