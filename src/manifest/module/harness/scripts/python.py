# part: scripts
# Programs that serve XML-RPC by themselves, through a stand-in for `xmlrpc.server`.

part("failing")

# Whether a server has been asked to serve.
is_serving = False

def run_script():
    """Runs the script as the program that it is, up to its end."""
    global module
    file = setup["file"]
    settle_in(file)
    sys.path.insert(0, os.path.dirname(file))
    os.environ.update(REQUEST_METHOD="POST", GATEWAY_INTERFACE="CGI/1.1")
    stand_in()
    import _frozen_importlib_external as external
    module = sys.modules["__main__"] = type(sys)("__main__")
    module.__file__ = file
    try:
        loader = external.SourceFileLoader("__main__", file)
        module.__loader__ = loader
        exec(loader.get_code("__main__"), module.__dict__)
        wait_for_threads()
        if not is_serving:
            raise Unsupported(
                "the script has ended without serving: it never called handle_request() or serve_forever(). If it "
                "answers requests by itself, as = \"module\" takes its functions")
    except BaseException as raised:
        if is_serving:
            raise
        give_up(raised)


def wait_for_threads():
    """Waits for threads of the script, where the server may run in one."""
    threading = sys.modules.get("threading")
    others = [each for each in threading.enumerate() if each is not threading.current_thread()] if threading else []
    for each in others:
        each.join(None if is_serving else 2)


def serve(server):
    """Answers calls by a server of the script's, until there are no more. This is what its loop comes to."""
    global script, is_serving
    if is_over:
        sys.exit(0)
    if is_serving:
        raise Unsupported("a second server in one script is never asked: a manifest for each would serve both")
    script, is_serving = server, True
    check_methods(type(server), "the server's class")
    check_methods(server.requestHandler, "the request handler")
    converse()
    finish()


def finish():
    """Notes that there will be no more calls."""
    global is_over
    is_over = True


# The methods through which a request goes on its way to a function, where it may be turned away.
GUARDING = frozenset("""
    do_POST parse_request handle handle_one_request decode_request_content is_rpc_path_valid verify_request
    get_request process_request process_request_thread finish_request handle_xmlrpc _marshaled_dispatch""".split())
LIBRARY = "xmlrpc.server", "socketserver", "http.server", "builtins"


def check_methods(kind, whose):
    """Refuses a class with methods of the script's that may decide who calls: no guard is left out silently."""
    for each in kind.__mro__:
        for name in vars(each) if each.__module__ not in LIBRARY else ():
            if name in GUARDING:
                give_up(Unsupported(
                    "%s has a `%s` of its own, which rpcgi does not run. If it decides who may call, let the web "
                    "server do that; then take it out" % (whose, name)))


# --------------------------------------------------------------------------------------------------------- the calls

def prepare(name):
    """Returns the function that asks the script for a name; it may say something else each time."""
    def ask(*args, **named):
        if named:
            function = script.funcs.get(name)
            if function is None:
                raise Refused(INVALID_PARAMS, "takes params by position")
            return function(*args, **named)
        if not script.use_builtin_types:
            args = tuple(as_client(each) for each in args)
        return script._dispatch(name, args)
    return ask, None


def as_client(value):
    """Returns a value as functions get it that ask for nothing else: dates and octets are of `xmlrpc.client`."""
    kind = type(value)
    if kind is bytes:
        return library("xmlrpc.client").Binary(value)
    if kind is list:
        return [as_client(each) for each in value]
    if kind is dict:
        return {name: as_client(each) for name, each in value.items()}
    if hasattr(kind, "utcoffset"):
        client = library("xmlrpc.client")
        return client.DateTime(value.isoformat()[:19].replace("-", ""))
    return value


# --------------------------------------------------------------------------------------------------- the description

def told_of_script(functions):
    """Returns what the script says of its service, and completes its functions by what it says of these."""
    help_of = getattr(script.instance, "_methodHelp", None)
    for each in functions if help_of is not None else ():
        if each["name"] not in script.funcs:
            each["doc"] = help_of(each["name"]) or ""
    told = {"any": hasattr(script.instance, "_dispatch") or type(script)._dispatch is not Dispatcher._dispatch}
    for member, attribute in TITLES.items():
        if attribute in vars(script):
            told[member] = str(vars(script)[attribute])
    return {"script": told}


TITLES = {"title": "server_title", "name": "server_name", "documentation": "server_documentation"}


def served_functions():
    """Returns triples of name, function or None, and that it is listed, in the order of the source; and notes."""
    found, notes, instance = {}, [], script.instance
    if instance is not None:
        if hasattr(instance, "_listMethods"):
            found.update((name, method_of_instance(instance, name)) for name in instance._listMethods())
        elif not hasattr(instance, "_dispatch"):
            found.update((name, method_of_instance(instance, name)) for name in public_methods(instance, ""))
        else:
            notes.append("the instance has `_dispatch` and no `_listMethods`: its names are served and not listed")
    found.update(script.funcs)
    notes += notes_on_handler(script.requestHandler)
    places, last = {}, 0
    for name, each in found.items():
        last = places[name] = line_of(each) or last
    return [(name, found[name], True) for name in sorted(found, key=places.get)], notes


def notes_on_handler(handler):
    """Returns what of a request handler is not run, where no guard can be among it."""
    own = {name for each in handler.__mro__ if each.__module__ not in LIBRARY for name in vars(each)}
    notes = []
    if "rpc_paths" in own and handler.rpc_paths:
        paths = ", ".join('"%s"' % each for each in handler.rpc_paths)
        notes.append("`rpc_paths` has no effect, and `paths` is the key for it: paths = [%s]" % paths)
    if own & {"end_headers", "do_OPTIONS", "send_response"}:
        notes.append("headers of the request handler are not sent: [cors] is for pages of other sites")
    if "do_GET" in own:
        notes.append("`do_GET` is not run: rpcgi answers GET with its page")
    return notes


def public_methods(place, prefix):
    """Returns the names of an object's methods, of objects inside it too where the script allows that."""
    names = []
    for name in dir(place):
        # What a property would run is none of the description's business.
        if name.startswith("_") or isinstance(getattr(type(place), name, None), property):
            continue
        member = getattr(place, name, None)
        if script.allow_dotted_names and has_methods(member) and prefix.count(".") < 3:
            names += public_methods(member, prefix + name + ".")
        # A class has methods for its objects too, which cannot be called without one.
        is_for_objects = isinstance(place, type) and not hasattr(member, "__self__") \
            and not isinstance(vars(place).get(name), staticmethod)
        if callable(member) and not isinstance(member, type) and not is_for_objects:
            names.append(prefix + name)
    return names


def has_methods(member):
    """Tells whether something is an object of a class of the script's, or such a class."""
    kind = member if isinstance(member, type) else type(member)
    return member is not None and is_own_class(kind)


def method_of_instance(instance, name):
    """Returns the method of a name, or None where the instance does something else with it."""
    try:
        return resolve_dotted_attribute(instance, name, script.allow_dotted_names)
    except Exception:
        return None


# ------------------------------------------------------------------------------------------------------ the stand-in

def resolve_dotted_attribute(obj, attr, allow_dotted_names=True):
    """Returns the attribute of a name with dots; none that begins with an underscore."""
    for each in attr.split(".") if allow_dotted_names else [attr]:
        if each.startswith("_"):
            raise AttributeError('attempt to access private attribute "%s"' % each)
        obj = getattr(obj, each)
    return obj


def list_public_methods(obj):
    """Returns the names of an object's public methods."""
    return [name for name in dir(obj) if not name.startswith("_") and callable(getattr(obj, name))]


class RequestHandler:
    """Stands for the class of request handlers: rpcgi reads the requests."""

    rpc_paths = ("/", "/RPC2", "/pydoc.css")
    encode_threshold = 1400

    def __getattr__(self, name):
        raise Unsupported("`%s` of a request handler: rpcgi reads the requests" % name)


class Dispatcher:
    """Knows the functions of a server."""

    requestHandler = RequestHandler

    def __init__(self, allow_none=False, encoding=None, use_builtin_types=False):
        self.funcs = {}
        self.instance = None
        self.allow_none = allow_none
        self.encoding = encoding or "utf-8"
        self.use_builtin_types = use_builtin_types
        self.allow_dotted_names = False

    def register_instance(self, instance, allow_dotted_names=False):
        """Serves the methods of an object."""
        self.instance = instance
        self.allow_dotted_names = allow_dotted_names

    def register_function(self, function=None, name=None):
        """Serves a function, under its own name or another; also as a decorator, with a name or without."""
        if function is None or isinstance(function, str):
            name = function if function is not None else name
            return lambda function: self.register_function(function, name)
        self.funcs[function.__name__ if name is None else name] = function
        return function

    def register_introspection_functions(self):
        """Does nothing: rpcgi has these functions."""

    def register_multicall_functions(self):
        """Does nothing: rpcgi has this function."""

    def _dispatch(self, method, params):
        function = self.funcs.get(method)
        if function is None and self.instance is not None:
            if hasattr(self.instance, "_dispatch"):
                return self.instance._dispatch(method, params)
            try:
                function = resolve_dotted_attribute(self.instance, method, self.allow_dotted_names)
            except AttributeError:
                pass
        if function is None:
            raise Unknown('method "%s" is not supported' % method)
        return function(*params)

    def system_listMethods(self):
        """Returns the names that are served."""
        return sorted(name for name, _, _ in served_functions()[0])

    def system_methodHelp(self, method_name):
        """Returns the docstring of a function."""
        return getattr(dict(each[:2] for each in served_functions()[0]).get(method_name), "__doc__", None) or ""

    def system_methodSignature(self, method_name):
        """Returns what Python's own server does."""
        return "signatures not supported"

    def _marshaled_dispatch(self, data, dispatch_method=None, path=None):
        raise Unsupported(
            "`_marshaled_dispatch` reads requests, and rpcgi has read them: let handle_request() serve, or make the "
            "functions a module")


class Documented:
    """What servers with a documentation page say of themselves."""

    def set_server_title(self, server_title):
        """Sets the title of the page."""
        self.server_title = server_title

    def set_server_name(self, server_name):
        """Sets the heading of the page."""
        self.server_name = server_name

    def set_server_documentation(self, server_documentation):
        """Sets the text at the head of the page."""
        self.server_documentation = server_documentation

    def generate_html_documentation(self):
        """Says that the page is rpcgi's."""
        raise Unsupported("rpcgi writes the page: there is none of the script's")


class HttpServer(Dispatcher):
    """Stands for a server with a socket: rpcgi has that."""

    def __init__(self, addr=("", 0), requestHandler=RequestHandler, logRequests=True, allow_none=False, encoding=None,
                 bind_and_activate=True, use_builtin_types=False):
        super().__init__(allow_none, encoding, use_builtin_types)
        self.server_address = addr
        self.requestHandler = self.RequestHandlerClass = requestHandler
        self.logRequests = logRequests
        self.timeout = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server_close()

    def __getattr__(self, name):
        if name in ("socket", "fileno"):
            raise Unsupported("the server's `%s`: a script has no socket under rpcgi" % name)
        raise AttributeError(name)

    def serve_forever(self, poll_interval=0.5):
        """Answers calls until there are no more."""
        serve(self)

    def handle_request(self):
        """Answers calls until there are no more."""
        serve(self)

    def shutdown(self):
        """Ends the process after this call."""
        finish()

    def server_close(self):
        """Does nothing."""

    server_bind = server_activate = server_close


class CgiHandler(Dispatcher):
    """Stands for the handler of CGI programs."""

    def handle_request(self, request_text=None):
        """Answers calls until there are no more."""
        if request_text is not None:
            give_up(Unsupported(
                "the script reads the request by itself and hands it to handle_request(): rpcgi has read it. Call "
                "handle_request() without it"))
        serve(self)

    def handle_xmlrpc(self, request_text):
        """Says what cannot be done."""
        self.handle_request(request_text)

    def handle_get(self):
        """Says what cannot be done."""
        give_up(Unsupported("`handle_get` is not for scripts: rpcgi answers GET with its page"))


class MultiPathServer(HttpServer):
    """Stands for a server with a dispatcher for each path."""

    def add_dispatcher(self, path, dispatcher):
        """Says what cannot be done."""
        give_up(Unsupported("several paths in one script are not possible: a manifest for each, or [at.\"%s\"]" % path))

    get_dispatcher = add_dispatcher


def watch(event, _):
    """Ends a script that listens by itself instead of coming to its server's loop: that would never end."""
    if event == "socket.bind" and not is_serving:
        give_up(Unsupported(
            "the script listens at a socket of its own, which rpcgi does: let SimpleXMLRPCServer or "
            "CGIXMLRPCRequestHandler serve, or make its functions a module"))


def stand_in():
    """Puts the stand-in where the script looks for `xmlrpc.server`."""
    made = sys.modules["xmlrpc.server"] = type(sys)("xmlrpc.server")
    classes = {
        "SimpleXMLRPCDispatcher": (Dispatcher,), "SimpleXMLRPCRequestHandler": (RequestHandler,),
        "SimpleXMLRPCServer": (HttpServer,), "MultiPathXMLRPCServer": (MultiPathServer,),
        "CGIXMLRPCRequestHandler": (CgiHandler,), "DocXMLRPCRequestHandler": (RequestHandler,),
        "XMLRPCDocGenerator": (Documented,), "DocXMLRPCServer": (HttpServer, Documented),
        "DocCGIXMLRPCRequestHandler": (CgiHandler, Documented)}
    for name, bases in classes.items():
        setattr(made, name, type(name, bases, {"__module__": "xmlrpc.server"}))
    for each in Dispatcher, RequestHandler, HttpServer, CgiHandler, MultiPathServer, Documented:
        each.__module__ = "xmlrpc.server"
    made.resolve_dotted_attribute, made.list_public_methods = resolve_dotted_attribute, list_public_methods
    made.__getattr__ = of_client
    package = library("xmlrpc")
    package.server = made
    sys.addaudithook(watch)


def of_client(name):
    """Returns what the module has from `xmlrpc.client`: faults, and the reading and writing of documents."""
    if name in ("Fault", "dumps", "loads", "gzip_encode", "gzip_decode"):
        return getattr(library("xmlrpc.client"), name)
    raise AttributeError("rpcgi's stand-in for xmlrpc.server has no %r" % name)
