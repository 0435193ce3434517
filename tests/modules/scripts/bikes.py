#!/usr/bin/env python3
"""A rental of bikes, as people have it in their cgi-bin: CPython's handler for CGI, with a page."""

import datetime
import xmlrpc.client
from xmlrpc.server import DocCGIXMLRPCRequestHandler

PRICES = {"tandem": 30, "racer": 25}


class NoBike(Exception):
    pass


def price(kind, days=1):
    """Tells what a bike costs.

    In euros, for all days together."""
    if kind not in PRICES:
        raise xmlrpc.client.Fault(404, "there is no bike " + kind)
    return PRICES[kind] * days


def when(day):
    """Tells what it has got for a date."""
    return [type(day).__name__, str(day), day]


def octets(data):
    return [type(data).__name__, data]


def crash():
    raise NoBike("under the stairs")


def nothing():
    pass


class Shop:
    """What can be had beside bikes."""

    class helmets:
        @staticmethod
        def count():
            """Counts the helmets."""
            return 7

    def __init__(self):
        self.desk = Desk()

    def greet(self, name):
        """Greets a visitor."""
        return "Welcome, %s!" % name

    def _secret(self):
        return "hidden"


class Desk:
    def open_at(self, hour: int):
        return 9 <= hour < 18


handler = DocCGIXMLRPCRequestHandler()
handler.set_server_title("Bikes to rent")
handler.set_server_name("Bike rental")
handler.set_server_documentation("Bikes by the day.")
handler.register_function(price)
handler.register_function(when)
handler.register_function(octets)
handler.register_function(crash)
handler.register_function(nothing)
handler.register_function(pow)
handler.register_function(lambda number: number * 2, "double")


@handler.register_function(name="stock.kinds")
def kinds():
    """Lists the kinds of bikes."""
    return sorted(PRICES)


handler.register_instance(Shop(), allow_dotted_names=True)
handler.register_introspection_functions()

if __name__ == "__main__":
    handler.handle_request()
    print("the script ends as it always did")
