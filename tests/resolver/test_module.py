"""
The module inside a real unbound, configured by the very lines that are printed for it: what it answers, and that it answers as
holdfast-dns does. How it lives is in test_module_life.py.
"""
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.reversename
import pytest

from module import Unbound, need_module
from server import Responder, addresses, ede, wait_for
from stock import REVERSE
from zone import Zone, address

NAME = "main.dev.me.coder"


def reverse_of(n):
    return dns.reversename.from_address(address(n)).to_text()


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    need_module()
    with Zone(tmp_path_factory.mktemp("zone") / "zone", f"{NAME} #1", "main.dev.anna.coder #1 second", "dev.coder #1 second",
              "held.dev.me.coder #2 held", "gone.dev.me.coder #3 withdrawn", "two.dev.me.coder #4,#5",
              "hundred.dev.me.coder " + ",".join(f"#{n}" for n in range(1000, 1100)), "many 1000 2000") as z:
        yield z


@pytest.fixture(scope="module")
def target(zone, tmp_path_factory):
    with Responder(tmp_path_factory.mktemp("dns"), zone.folder) as r:
        yield r


ORDERS = {"before the validator": "dynlib validator iterator", "behind it": "validator dynlib iterator"}
ANCHOR = '  trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"\n'


@pytest.fixture(scope="module", params=ORDERS)
def unbound(request, zone, target, tmp_path_factory):
    """With a trust anchor of the root, in both orders, four threads."""
    more = ANCHOR + "  rrset-roundrobin: no\n"
    with Unbound(tmp_path_factory.mktemp("unbound"), zone.folder, dns=target.port, threads=4, more=more,
                 modules=ORDERS[request.param]) as u:
        yield u


def test_addresses(unbound):
    m = unbound.ask(NAME)
    assert m.rcode() == dns.rcode.NOERROR and addresses(m) == [address(1)] and 1 <= m.answer[0].ttl <= 30
    assert m.flags & dns.flags.AA and not m.flags & dns.flags.AD and not ede(m)
    assert addresses(unbound.ask("two.dev.me.coder")) == [address(4), address(5)]


def test_ptr(unbound):
    m = unbound.ask(reverse_of(1), "PTR")
    assert [r.target.to_text() for r in m.answer[0]] == [f"{NAME}."]
    m = unbound.ask(reverse_of(0xabcdef), "PTR")
    assert m.rcode() == dns.rcode.NXDOMAIN and m.authority[0].name.to_text() == f"{REVERSE}."
