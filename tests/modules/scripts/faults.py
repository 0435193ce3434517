"""What can go wrong: served by CPython itself where a port is told, else by what stands in for it."""

import os
import xmlrpc.client
from xmlrpc.server import SimpleXMLRPCServer


class Own(Exception):
    pass


def add(a, b):
    """Adds two numbers."""
    return a + b


def refuse():
    raise xmlrpc.client.Fault(7, "seven of them")


def fail():
    raise ValueError("no, really: not")


def fail_in_own_way():
    raise Own("mine")


def nothing():
    return None


server = SimpleXMLRPCServer(("127.0.0.1", int(os.environ.get("FAULTS_PORT", "0"))), logRequests=False)
for function in add, refuse, fail, fail_in_own_way, nothing:
    server.register_function(function)
server.register_introspection_functions()
server.register_multicall_functions()
server.serve_forever()
