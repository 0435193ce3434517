"""Calls what `tests/modules/scripts/faults.py` serves, and prints what comes: the same for the original and for rpcgi."""

import sys
import xmlrpc.client

proxy = xmlrpc.client.ServerProxy(sys.argv[1], allow_none=True)


def show(name, *params):
    try:
        print(name, repr(getattr(proxy, name)(*params)))
    except xmlrpc.client.Fault as fault:
        print(name, fault.faultCode, fault.faultString)


show("add", 1, 2)
show("add", 1)
show("add", 1, 2, 3)
show("add", 1, "x")
show("no.such")
show("refuse")
show("fail")
show("fail_in_own_way")
show("nothing")
show("system.methodHelp", "add")
show("system.methodHelp", "no.such")
calls = [{"methodName": name, "params": []} for name in ("refuse", "fail", "no.such")]
show("system.multicall", calls)
