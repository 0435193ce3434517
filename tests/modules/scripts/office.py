"""A server of its own with threads, an instance that decides about names, and types of Python's own."""

import datetime
import socketserver
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer


class Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ("/RPC2",)


class Server(socketserver.ThreadingMixIn, SimpleXMLRPCServer):
    pass


class Office:
    def _listMethods(self):
        return ["tomorrow", "reversed", "add_name"]

    def _methodHelp(self, name):
        return {"tomorrow": "Tells the day after a date."}.get(name, "")

    def _dispatch(self, method, params):
        if method.startswith("made_up."):
            return [method, list(params)]
        if method in names:
            return names[method]
        return getattr(self, "do_" + method)(*params)

    def do_tomorrow(self, day):
        return day + datetime.timedelta(days=1)

    def do_reversed(self, data):
        return data[::-1]

    def do_add_name(self, name):
        names[name] = "made later"
        return None


names = {}

with Server(("localhost", 8000), requestHandler=Handler, allow_none=True, use_builtin_types=True) as server:
    server.register_instance(Office())
    server.register_multicall_functions()

    @server.register_function
    def stop():
        """Ends the process after this call."""
        server.shutdown()
        return True

    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
