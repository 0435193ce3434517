"""The same as `faults.py`, served by Twisted, at a port that it prints."""

import sys

from twisted.internet import reactor
from twisted.python import log
from twisted.web import server, xmlrpc


class Faults(xmlrpc.XMLRPC):
    def xmlrpc_add(self, a, b):
        """Adds two numbers."""
        return a + b

    def xmlrpc_refuse(self):
        raise xmlrpc.Fault(7, "seven of them")

    def xmlrpc_fail(self):
        raise ValueError("no, really: not")

    def xmlrpc_fail_in_own_way(self):
        raise Exception("mine")

    def xmlrpc_nothing(self):
        return None


log.startLogging(sys.stderr, setStdout=False)
port = reactor.listenTCP(0, server.Site(Faults()), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
