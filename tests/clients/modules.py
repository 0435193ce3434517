"""Calls the functions of tests/modules/sums.* at the URL given, by XML-RPC, and checks the types of what comes."""

import sys
from datetime import datetime
from xmlrpc.client import Fault, ServerProxy

url, count = sys.argv[1:]
proxy = ServerProxy(url, allow_none=True, use_builtin_types=True)


def check(found, expected):
    assert found == expected and type(found) is type(expected), f"expected {expected!r}, found {found!r}"


check(proxy.add(2, 3), 5)
check(proxy.add(2), 7)
check(proxy.add(2000000000, 2000000000), 4000000000)
check(proxy.half(3.0), 1.5)
check(proxy.greet("Jörg 🚲"), "Hello, Jörg 🚲!")
check(proxy.is_even(4), True)
check(proxy.is_even(5), False)
check(proxy.nothing(), None)
check(proxy.next_day(datetime(2026, 2, 28, 10, 30)), datetime(2026, 3, 1, 10, 30))
check(proxy.turn(b"\x00\xff\xfe"), b"\xfe\xff\x00")
check(proxy.squares(4), [1, 4, 9, 16])
check(proxy.total([1, 2, 3]), 6)
check(proxy.point(3, 4), {"x": 3, "y": 4})
check(proxy.swap({"x": 3, "y": 4}), {"x": 4, "y": 3})
check(proxy.lengths(["bike", "Łódź"]), {"bike": 4, "Łódź": 4})
check(proxy.big(), 9007199254740993)
check(getattr(proxy, count)("Łódź"), 4)
check(proxy.three(7, 8, 9), [7, 8, 9])
check(proxy.say(), 1)
for value in [
    True,
    5,
    1.5,
    "text",
    b"\x00\xff",
    datetime(2026, 11, 25, 10, 30),
    [1, "a", [2.5, False]],
    {"a": 1, "b": [{"c": b"\xff"}, datetime(2026, 1, 1)]},
    {"$date": "no date"},
    {"$$": 5},
]:
    check(proxy.same(value), value)
for name, code in [("fail", 42), ("crash", -32400), ("_hidden", -32601), ("main", -32601)]:
    try:
        getattr(proxy, name)()
    except Fault as fault:
        check(fault.faultCode, code)
        assert "secret" not in fault.faultString, fault.faultString
    else:
        raise AssertionError(name + " gave a result")
assert "Adds two numbers" in proxy.system.methodHelp("add"), proxy.system.methodHelp("add")
