# SPDX-License-Identifier: Apache-2.0
"""Debian's dnsmasq as the adapter feeds it: a running one that can be stopped and started again."""
import signal

import dns.reversename

from server import Server, addresses, free_port, question, wait_for
from stock import need
from zone import address


class Dnsmasq:
    """One that can be stopped and started again on the same port."""

    def __init__(self, folder, *options):
        self.folder, self.port, self.options = folder, free_port(), options
        self.pid_file = folder / "dnsmasq.pid"
        self.server = None

    def start(self):
        self.server = Server(self.folder, [
            need("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", f"--pid-file={self.pid_file}", "--user=",
            "--no-resolv", "--no-hosts", "--log-facility=-", "--listen-address=127.0.0.1", "--bind-interfaces",
            f"--port={self.port}", *self.options], self.port)
        wait_for(lambda: self.server.raw(question("is.it.up.coder").to_wire(), timeout=0.3))
        return self

    def stop(self, how=signal.SIGTERM):
        if self.server and self.server.alive():
            self.server.process.send_signal(signal.SIGCONT)
            self.server.stop(how)

    def addresses(self, name):
        return addresses(self.server.ask(name))

    def rcode(self, name, rdtype="AAAA"):
        return self.server.ask(name, rdtype).rcode()

    def ptr(self, n):
        return [r.target.to_text() for rrset in self.server.ask(dns.reversename.from_address(address(n)), "PTR").answer
                for r in rrset]
