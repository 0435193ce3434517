"""Python's xmlrpc.client against the interop example; the URL is the only argument."""

import datetime
import gzip
import http.client
import sys
import urllib.parse
import xmlrpc.client
from xmlrpc.client import Binary, DateTime, Fault, MultiCall, ServerProxy

url = sys.argv[1]
server = ServerProxy(url, allow_none=True)


def fault(method, *params):
    try:
        result = method(*params)
    except Fault as fault:
        return fault.faultCode, fault.faultString
    raise AssertionError(f"{method} answered {result!r} instead of a fault")


def same(value, expected):
    assert value == expected and type(value) is type(expected), f"{value!r} is not {expected!r}"


# validator1
v = server.validator1
stooges = {"moe": 1, "larry": 2, "curly": 3}
same(v.arrayOfStructsTest([stooges, {**stooges, "curly": -7, "shemp": "x"}]), -4)
same(
    v.countTheEntities("<<>&&&'\"\"\"\""),
    {"ctLeftAngleBrackets": 2, "ctRightAngleBrackets": 1, "ctAmpersands": 3, "ctApostrophes": 1, "ctQuotes": 4},
)
same(v.easyStructTest(stooges), 6)
same(v.echoStructTest({"a": {"b": [1, "two"]}, "": True}), {"a": {"b": [1, "two"]}, "": True})
date = DateTime(datetime.datetime(1998, 7, 17, 14, 8, 55))
same(v.manyTypesTest(42, True, "text", 1.5, date, Binary(b"\0\xff")), [42, True, "text", 1.5, date, Binary(b"\0\xff")])
same(v.moderateSizeArrayCheck([f"text {n}" for n in range(150)]), "text 0text 149")
same(v.nestedStructTest({"2000": {"04": {"01": stooges, "02": {}}}, "1999": {}}), 6)
same(v.simpleStructReturnTest(-7), {"times10": -70, "times100": -700, "times1000": -7000})
assert fault(v.easyStructTest, {"moe": 1})[0] == -32602
assert fault(v.easyStructTest, {**stooges, "moe": "1"})[0] == -32602
assert fault(v.nestedStructTest, {})[0] == -32500

# interopEchoTests
echo = server.interopEchoTests
for method, values in {
    "String": ["", "  a <b> & \"c\" ]]> é€😀 \t\n", "x" * 100_000],
    "Integer": [0, -1, 2147483647, -2147483648],
    "Float": [0.0, -1.5, 0.1, 1e300, 5e-324, 123456789.12345679],
    "Boolean": [True, False],
    "Struct": [{}, {"varString": "x", "varInt": 1, "varFloat": 1.5}],
    "Date": [date],
    "Base64": [Binary(b""), Binary(bytes(range(256)) * 20)],
    "StringArray": [[], ["a", "", "é"]],
    "IntegerArray": [[], [1, 2, 3]],
    "FloatArray": [[], [1.5, -2.0]],
    "StructArray": [[], [{"varString": "x"}, {}]],
    "Value": [None, 1, [1, "a", [None, {"x": True}]], date, Binary(b"x")],
}.items():
    for value in values:
        same(getattr(echo, f"echo{method}")(value), value)
same(sorted(echo.whichToolkit()), ["toolkitDocsUrl", "toolkitName", "toolkitOperatingSystem", "toolkitVersion"])
assert isinstance(echo.noInParams(), int)
assert fault(echo.echoInteger, "1")[0] == -32602

# examples
same(server.examples.getStateName(5), "California")
same(server.examples.getStateName(51), "Wyoming")
same(server.examples_getStateName(7), "Columbia")
same(fault(server.examples.getStateName, 52), (800, "there is no state with number 52"))
people = [{"name": "a", "age": 35}, {"name": "b", "age": 24}, {"name": "c"}, {"age": 3}]
same([person["name"] for person in server.examples.sortByAge(people)], ["b", "a"])
same(fault(server.examples.sortByAge, [1])[0], 800)
same(server.examples.addtwo(2, 3), 5)
same(server.examples.addtwodouble(1.5, 2.5), 4.0)
same(server.examples.stringecho("hi"), "hi")
assert server.examples.echo("hi").startswith("I got the following message:\n<?xml version=")
same(server.examples.decode64(Binary("né".encode())), "né")
same(server.examples.decode64(Binary(b"a\r\nb\rc")), "a\r\nb\rc")
same(server.examples.invertBooleans([True, False]), [False, True])

# the wheel, and the methods of Twisted's and Python's documentation
number, colour, parity, half = server.wheel.spin()
same(len(server.spin()), 4)
same(len(server.spinList(2)), 2)
signatures = [[name, name] for name in ("string", "int", "double", "array", "struct")]
same(server.system.methodSignature("echo"), signatures)
for value in "text", 7, 1.5, [1, "two"], {"a": 1}:
    same(server.echo(value), value)
assert fault(server.echo, True)[0] == -32602
same(type(getattr(server.date, "time")()), float)
same(server.headerValue("Content-Type"), ["text/xml"])
same(server.headerValue("X-None"), [])
same(type(server.quote()), str)
assert colour in ("RED", "BLACK", "GREEN") and (colour == "GREEN") == (number in ("0", "00"))
assert parity in ("EVEN", "ODD", "ZERO") and half in ("LOW", "HIGH", "ZERO")
same([len(server.wheel.spinList(*params)) for params in [(), (3,), (0,), (1000,)]], [1, 3, 0, 1000])
same(fault(server.wheel.spinList, 1001), (1, "expected 0 to 1000 spins, found 1001"))
same(server.echo([1]), [1])
same(server.add(2, 3), 5)
same(server.add(2.5, 3.0), 5.5)
same(fault(server.fault), (123, "The fault procedure is faulty."))
same(server.pow(2, 30), 1 << 30)
same(server.pow(2.0, -1.0), 0.5)
same(fault(server.pow, 10, 1000)[0], 3)
same(fault(server.add, 2147483647, 1), (3, "the result is beyond 32 bits"))
same([server.div(7, 2), server.div(-7, 2), server.div(7, -2), server.div(-8, 2)], [3, -4, -4, -4])
same(fault(server.div, 1, 0)[0], 2)

# introspection and faults
methods = server.system.listMethods()
assert methods == sorted(set(methods)) and "system.listMethods" in methods and "wheel.spin" in methods, methods
same(server.system.methodSignature("wheel.spinList"), [["array"], ["array", "int"]])
same(server.system.methodSignature("add"), [["int", "int", "int"], ["double", "double", "double"]])
assert server.system.methodHelp("wheel.spin").startswith("Spins the wheel once.\n\n")
for method in methods:
    assert isinstance(server.system.methodHelp(method), str)
    assert isinstance(server.system.methodSignature(method), list)
same(fault(server.system.methodHelp, "x")[0], -32601)
same(server.system.getCapabilities()["introspection"]["specVersion"], 2)
same(fault(server.wheel.spinlist), (-32601, 'there is no method "wheel.spinlist", did you mean "wheel.spinList"?'))

# multicall
multi = MultiCall(server)
multi.add(2, 3)
multi.fault()
multi.examples.addtwo(1, "x")
multi.echo({"a": None})
results = multi()
same([results[0], results[3]], [5, {"a": None}])
same((fault(lambda: results[1]), fault(lambda: results[2])[0]), ((123, "The fault procedure is faulty."), -32602))

# gzip, both ways
class Gzipping(xmlrpc.client.Transport):
    encode_threshold = 100


packed = ServerProxy(url, transport=Gzipping())
text = "the same again " * 1000
same(packed.interopEchoTests.echoString(text), text)

address = urllib.parse.urlsplit(url)
connection = http.client.HTTPConnection(address.hostname, address.port)
body = xmlrpc.client.dumps((text,), "echo").encode()
headers = {"Content-Type": "text/xml", "Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
connection.request("POST", address.path, gzip.compress(body), headers)
response = connection.getresponse()
same(response.getheader("Content-Encoding"), "gzip")
same(xmlrpc.client.loads(gzip.decompress(response.read()))[0][0], text)

# a character that XML cannot carry never breaks the answer
same(server.examples.decode64(Binary(b"a\0b\x1fc\xff")), "a\ufffdb\ufffdc\ufffd")

# other encodings
connection.request("POST", address.path, xmlrpc.client.dumps(("né€",), "echo", encoding="iso-8859-15").encode("iso-8859-15"), {"Content-Type": "text/xml"})
same(xmlrpc.client.loads(connection.getresponse().read())[0][0], "né€")

print("python: all answers as expected")
