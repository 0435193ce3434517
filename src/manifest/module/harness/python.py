"""The harness of Python modules: loads one, tells what is public in it, and calls it. README.md has the conversation.

Runs by `python3 -c`, for Python 3.8 and later. What each call needs stands first, the core, and imports nothing that
costs time. All else are parts, which begin with a line `# part: NAME`: their texts follow the first line of rpcgi's, and
each is compiled when it is first needed, or was beforehand (see `compile_itself`).
"""
import os
import sys

DEEPEST = 200
LONGEST = 1000000
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

# ------------------------------------------------------------------------------------------------- the conversation

process = os.getpid()
socket = None
# What has been read of the lines to come.
received = b""
# The event loop, once a function has returned something to wait for.
loop = None


def main(compiled):
    """Loads the module and answers calls until there are no more. The parts may be compiled already."""
    global socket, setup, parts
    socket = os.dup(0)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for stream in sys.stdout, sys.stderr:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        line = read_line()
        if not line:
            return
        setup = parsed(line)
        setup["texts"] = read_octets(setup.get("parts", 0))
        parts = setup["texts"] if compiled is None else compiled
        if setup.get("pycache"):
            sys.pycache_prefix = setup["pycache"]
        if setup.get("as") == "script":
            part("scripts")
            run_script()
            return
        try:
            load()
        except BaseException as raised:
            give_up(raised)
        converse()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)


def converse():
    """Describes the module if that is wanted, and answers calls until there are no more."""
    if setup.get("describe"):
        try:
            line = description_line()
        except BaseException as raised:
            give_up(raised)
        answer(line)
    if setup.get("compile"):
        part("compiling")
        compile_itself(setup["compile"], setup["texts"])
    while not is_over:
        line = read_line()
        if not line:
            break
        run(parsed(line))


def give_up(raised):
    """Ends with the account of why there is no module."""
    part("failing")
    answer(written({"broken": account_of_load(raised)}))
    os._exit(1)


def part(name):
    """Defines what a part has, if that is not done yet."""
    global parts
    if isinstance(parts, bytes):
        parts = texts_of(parts)
    code = parts.pop(name, None)
    if isinstance(code, bytes):
        import marshal
        code = marshal.loads(code)
    if code:
        exec(code, globals())


def texts_of(octets):
    """Returns the parts by name."""
    return dict(text.split("\n", 1) for text in octets.decode().split("\n# part: ")[1:])


def read_line():
    """Returns the next line of rpcgi's, or what is left of one at the end of the input."""
    global received
    pieces = []
    while b"\n" not in received:
        pieces.append(received)
        if loop is not None:
            wait_for_input()
        received = os.read(socket, 32768)
        if not received:
            return ""
    line, _, received = received.partition(b"\n")
    return (b"".join(pieces) + line).decode()


def read_octets(count):
    """Returns the next octets of rpcgi's."""
    global received
    while len(received) < count:
        more = os.read(socket, 32768)
        if not more:
            break
        received += more
    octets, received = received[:count], received[count:]
    return octets


def answer(line):
    """Sends octets as a line. A process that the module has forked has no part in this."""
    try:
        sys.stdout.flush()
    except Exception:
        pass  # The module may have closed it, or put something else there.
    if os.getpid() != process:
        os._exit(0)
    rest = memoryview(line + b"\n")
    while rest:
        rest = rest[os.write(socket, rest):]


# ------------------------------------------------------------------------------------------------------------ calls

class Refused(Exception):
    """Says that a value cannot go the way it is asked to."""

    def __init__(self, code, text):
        super().__init__(code, text)
        self.code, self.text = code, text


class Unknown(Exception):
    """Says that a script serves no such name."""


class Unsupported(NotImplementedError):
    """Says what a script cannot do here, and what to do instead."""


# The functions that have been called, by name: each with its converters, by the names and places of params, or None.
prepared = {}
# The class for the context, when the part has been needed.
Request = None


def run(call):
    """Calls a function and answers, unless it has returned something that is still to be waited for."""
    try:
        name = call["call"]
        function, converters = prepared.get(name) or prepare(name)
        args, named = call["args"], call.get("named") or {}
        context = call.get("context")
        if context:
            part("context")
            place_context(context, args, named)
        if converters:
            convert(converters, args, named, context)
        result = function(*args, **named)
        if hasattr(type(result), "__await__") or hasattr(type(result), "__aiter__"):
            part("waiting")
            wait_for(call["id"], result)
            return
    except BaseException as raised:
        part("failing")
        line = failed(raised)
    else:
        line = outcome(result)
    answer(b'{"id": %d, %b}' % (call["id"], line))


def outcome(result):
    """Returns what is to be answered for the result of a call: a member of the document."""
    try:
        return b'"result": ' + written(result)
    except BaseException as raised:
        part("failing")
        return failed(raised)


def prepare(name):
    """Returns a function and its converters; most functions need none."""
    function = find(name)
    inner = unwrapped(function)
    if hasattr(inner, "__code__"):
        annotations = getattr(inner, "__annotations__", None) or {}
        needed = [each for key, each in annotations.items() if key != "return" and not is_plain(each)]
    else:
        needed = type(inner).__name__ != "builtin_function_or_method"
    converters = None
    if needed:
        part("types")
        part("converting")
        converters = converters_of(function)
    prepared[name] = function, converters
    return prepared[name]


def is_plain(annotation):
    """Tells whether what JSON has, checked by the description, is what an annotation asks for."""
    if isinstance(annotation, str):
        return annotation in ("int", "float", "str", "bool", "bytes", "list", "dict", "object", "None", "Any")
    if annotation in (int, float, str, bool, bytes, list, dict, object, None, type(None), Request):
        return True
    origin, args = getattr(annotation, "__origin__", None), getattr(annotation, "__args__", ())
    if origin is list:
        return is_plain(args[0])
    if origin is dict:
        return args[0] is str and is_plain(args[1])
    is_union = type(annotation).__name__ == "UnionType" or getattr(origin, "_name", None) == "Union"
    if is_union and len(args) == 2 and type(None) in args:
        return all(map(is_plain, args))
    return getattr(annotation, "__module__", None) == "datetime" and annotation.__name__ == "datetime"


def unwrapped(function):
    """Returns the function that decorators have wrapped, as far as they tell of it; without a bound `self`."""
    for _ in range(100):
        inner = getattr(function, "__wrapped__", None) or getattr(function, "__func__", None)
        if inner is None or hasattr(function, "__signature__"):
            break
        function = inner
    return function


def find(name):
    """Returns the function or method that goes by a name. Nothing is run for that, no property for instance."""
    if instance is not None:
        part("objects")
        function = method(name)
    else:
        function = vars(module).get(name)
        listed = vars(module).get("__all__")
        if name.startswith("_") if listed is None else name not in listed:
            function = None
    if callable(function) and not isinstance(function, type):
        return function
    raise LookupError("the module has no function " + name)


def is_enum(kind):
    """Tells whether a class is an Enum."""
    return "enum" in sys.modules and isinstance(kind, sys.modules["enum"].EnumMeta)


# ------------------------------------------------------------------------------------------------------- the module

module = None
instance = None
# The stand-in for the server that a script has started, and whether it has ended that.
script = None
is_over = False


def load():
    """Loads the module, as if something had imported it."""
    global module, instance
    file = setup["file"]
    folder, base = os.path.split(file)
    stem = os.path.splitext(base)[0]
    settle_in(file)
    provided = sys.modules["rpcgi"] = type(sys)("rpcgi", "What rpcgi has for modules.")
    provided.__all__, provided.__getattr__ = ["Request"], provide
    if os.path.exists(root + "__init__.py"):
        part("packages")
        module = load_of_package(file, folder, stem)
    else:
        module = load_file(file, folder, stem)
    if setup.get("object"):
        instance = getattr(module, setup["object"])
        if isinstance(instance, type):
            instance = instance()


def settle_in(file):
    """Sets what Python has of the program that it runs."""
    global root
    root = os.path.dirname(file).rstrip("/") + "/"
    sys.argv = [file]
    if sys.path[:1] == [""]:
        del sys.path[0]


def provide(name):
    """Returns what a module imports from `rpcgi`."""
    part("context")
    if name == "Request":
        return Request
    raise AttributeError("module 'rpcgi' has no attribute %r" % name)


def load_file(file, folder, stem):
    """Loads a file by its path; what it imports is looked for in its folder first."""
    sys.path.insert(0, folder)
    name = stem if is_free(stem) else "rpcgi_module_" + "".join(each if each.isalnum() else "_" for each in stem)
    return load_as(name, file)


def load_as(name, file):
    """Loads a file as the module of a name."""
    import _frozen_importlib
    import _frozen_importlib_external as external
    loader = external.SourceFileLoader(name, file)
    return _frozen_importlib._load(external.spec_from_file_location(name, file, loader=loader))


def is_free(name):
    """Tells whether a module can have this name: it is none of the standard library's."""
    if not name.isidentifier() or name in sys.modules or name in sys.builtin_module_names:
        return False
    if hasattr(sys, "stdlib_module_names"):
        return name not in sys.stdlib_module_names
    import _frozen_importlib_external as external
    library = os.path.dirname(os.__file__)
    return external.PathFinder.find_spec(name, [library, library + "/lib-dynload"]) is None


def description_line():
    """Returns the description of the module, as it is answered."""
    part("types")
    part("describing")
    return "".join(encoder({"described": description()}, 0)).encode()


# ----------------------------------------------------------------------------------------------------------- values

def tag(value):
    """Writes what JSON has no word for."""
    part("tags")
    return tagged(value)


def scanner(hook):
    """Returns a parser, with a function that gets each object."""
    class Settings:
        strict = False
        object_hook = hook
        object_pairs_hook = None
        parse_float, parse_int, parse_constant = float, int, float
        memo = {}
    return _json.make_scanner(Settings)


try:
    # What `json` is made of, without its price.
    import _json
    scan = scanner(None)
    encoder = _json.make_encoder(None, tag, _json.encode_basestring, None, ": ", ", ", False, False, False)
except Exception:
    import json

    def scanner(hook):
        """Returns a parser, with a function that gets each object."""
        return json.JSONDecoder(strict=False, object_hook=hook).raw_decode

    def encoder(value, _):
        """Returns the text of a value, in pieces."""
        return [whole_encoder.encode(value)]

    scan = scanner(None)
    whole_encoder = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, default=tag)


def parsed(line):
    """Returns the document of a line. Few have tags, and others are parsed much faster."""
    if '{"$' in line:
        part("tags")
        return scan_tags(line, 0)[0]
    return scan(line, 0)[0]


def written(value):
    """Returns the octets of a value."""
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is float or kind is int and -2 ** 63 <= value < 2 ** 63:
        try:
            return "".join(encoder(value, 0)).encode()
        except ValueError:
            pass  # It is no number, or no text.
    part("results")
    return written_whole(value)


# Parts: each is compiled when it is first needed, and begins with a line like this.


# part: context
# Who calls.

class Request:
    """Who calls, for the functions that ask for it: members as attributes, or as of a dict."""

    user = remote_addr = request_id = None
    groups = ()
    headers = {}

    def __init__(self, members=()):
        self.__dict__.update(members)

    def __repr__(self):
        return "Request(%r)" % self.__dict__

    def __getitem__(self, name):
        return self.__dict__[name]

    def __contains__(self, name):
        return name in self.__dict__

    def __iter__(self):
        return iter(self.__dict__)

    def __len__(self):
        return len(self.__dict__)

    def get(self, name, default=None):
        return self.__dict__.get(name, default)

    def keys(self):
        return self.__dict__.keys()

    def items(self):
        return self.__dict__.items()

    def values(self):
        return self.__dict__.values()


Request.__module__ = "rpcgi"
sys.modules["rpcgi"].Request = Request


def place_context(context, args, named):
    """Puts the context among the arguments."""
    value = Request(context.get("value") or ())
    index = context.get("index")
    if index is not None and index <= len(args):
        args.insert(index, value)
    else:
        named[context["name"]] = value


# part: packages
# Modules that are part of a package.

def load_of_package(file, folder, stem):
    """Loads a file beside an `__init__.py`, after the packages around it."""
    global root
    top, names = folder, [stem] if stem != "__init__" else []
    while os.path.exists(top + "/__init__.py"):
        above, package = os.path.split(top)
        if not is_free(package):
            break
        top, names = above, [package] + names
    if top == folder:
        return load_file(file, folder, stem)
    root = "%s/%s/" % (top.rstrip("/"), names[0])
    sys.path.insert(0, top)
    # Last, because files beside it may have names of the standard library's, which are meant by them.
    sys.path.append(folder)
    name = ".".join(names)
    if not stem.isidentifier():
        __import__(name.rpartition(".")[0])
        return load_as(name, file)
    __import__(name)
    return sys.modules[name]


# part: objects
# Methods of an object.

part("files")


def method(name):
    """Returns the method of a name, or None."""
    if not name.startswith("_"):
        for members in places_of_methods():
            if name in members:
                return getattr(instance, name) if is_method(members[name]) else None
    return None


def places_of_methods():
    """Returns the dicts that may have methods of the object: its own, its class's, those of other own classes."""
    kinds = type(instance).__mro__
    own = [kind for kind in kinds[1:] if kind is not object and is_own(file_of(kind.__module__))]
    return [getattr(instance, "__dict__", {}), vars(kinds[0])] + [vars(kind) for kind in own]


def is_method(member):
    """Tells whether what stands in a class can be called as a method."""
    return isinstance(member, (staticmethod, classmethod)) or callable(member) and not isinstance(member, type)


# part: files
# Whose a file is.

# The folder of the standard library, which may lie below the module's: a home has both where pyenv is used.
standard = os.path.dirname(os.__file__) + "/"


def file_of(name):
    """Returns the file of a module that has been loaded, if it has one."""
    return getattr(sys.modules.get(name), "__file__", None)


def is_own(file):
    """Tells whether a file is the module or below its folder, and not of a library that was installed there."""
    if not isinstance(file, str) or not file.startswith(root) or file.startswith(standard):
        return False
    folders = file[len(root):].split("/")[:-1]
    if "site-packages" in folders or "dist-packages" in folders:
        return False
    return not any(
        os.path.exists(root + "/".join(folders[:count + 1]) + "/pyvenv.cfg") for count in range(len(folders)))


def library(name):
    """Imports from the standard library, whatever lies in the module's folder."""
    paths = sys.path
    sys.path = [path for path in paths if (path + "/").startswith(standard) or not (path + "/").startswith(root)]
    try:
        __import__(name)
        return sys.modules[name]
    finally:
        sys.path = paths


# part: tags
# Values that JSON has no word for.

# A tag has been written for each of these.
tags = 0


def untagged(members):
    """Returns what an object of the wire stands for. It is called from the inside outwards."""
    if len(members) == 1:
        (key, value), = members.items()
        if key.startswith("$"):
            if key == "$date":
                return date_of(value)
            if key == "$bytes":
                from binascii import a2b_base64
                return a2b_base64(value)
            if key == "$int":
                return int(value)
            return {key[1:]: value}
    return members


scan_tags = scanner(untagged)


def date_of(text):
    """Returns the date and time of a text; one without a zone."""
    from _datetime import datetime
    whole, _, fraction = text.partition(".")
    return datetime.fromisoformat(whole + ("." + (fraction + "000000")[:6] if fraction else ""))


# What values of a class are written as, from a class to the function for it; None for what is no such value.
writers = {}


def writer_of(kind):
    """Returns the function that writes values of a class as one tag or text, or None."""
    if kind not in writers:
        names = [(each.__module__.partition(".")[0], each.__qualname__) for each in kind.__mro__]
        writers[kind] = next((WRITERS[each] for each in names if each in WRITERS), None)
    return writers[kind]


def tagged(value):
    """Returns the tag, text or number that stands for a value, or raises TypeError."""
    return writer_of(type(value))(value)


def octets_tag(value):
    """Returns the tag of octets."""
    global tags
    from binascii import b2a_base64
    tags += 1
    return {"$bytes": b2a_base64(value, newline=False).decode()}


def date_tag(value):
    """Returns the tag of a date, with a time or without; one with a zone is told in UTC."""
    global tags
    tags += 1
    if not hasattr(value, "utcoffset"):
        return {"$date": value.isoformat() + "T00:00:00"}
    zone = value.utcoffset()
    if zone is not None:
        value = value.replace(tzinfo=None) - zone
    return {"$date": value.isoformat()}


def xmlrpc_date_tag(value):
    """Returns the tag of an `xmlrpc.client.DateTime`."""
    global tags
    tags += 1
    text = value.value
    return {"$date": text if "-" in text else "-".join([text[:4], text[4:6], text[6:]])}


WRITERS = {
    ("builtins", "bytes"): octets_tag, ("builtins", "bytearray"): octets_tag, ("builtins", "memoryview"): octets_tag,
    ("datetime", "datetime"): date_tag, ("datetime", "date"): date_tag,
    ("datetime", "time"): lambda value: value.isoformat(),
    ("datetime", "timedelta"): lambda value: value.total_seconds(),
    ("decimal", "Decimal"): str, ("_pydecimal", "Decimal"): str, ("uuid", "UUID"): str,
    ("fractions", "Fraction"): str, ("pathlib", "PurePath"): str,
    ("xmlrpc", "DateTime"): xmlrpc_date_tag, ("xmlrpc", "Binary"): lambda value: octets_tag(value.data)}


# part: results
# Results that are more than a number or text.

part("tags")

SCALARS = frozenset([type(None), bool, int, float, str])
CONTAINERS = frozenset([list, dict, tuple])
# The classes whose values become one tag or text.
LEAVES = frozenset([
    ("builtins", "bytes"), ("datetime", "datetime"), ("datetime", "date"), ("datetime", "time"),
    ("datetime", "timedelta"), ("decimal", "Decimal"), ("uuid", "UUID")])
DIGITS = bytes(48 if 48 <= octet <= 57 else octet for octet in range(256))
def written_whole(value):
    """Returns the octets of a value: at the speed of C where it is plain, else by a walk."""
    global tags
    if is_simple(value):
        tags = 0
        try:
            text = "".join(encoder(value, 0))
            octets = text.encode()
        except Exception:
            pass  # The walk tells what is wrong with it.
        else:
            # Digits may be an integer that is too wide; and what looks like a tag has to be one.
            if b"0" * 19 not in octets.translate(DIGITS) and text.count('{"$') == tags:
                return octets
    part("tags")
    part("writing")
    return "".join(encoder(plain(value, 0, set()), 0)).encode()


def is_simple(value):
    """Tells whether a value has no more than lists, dicts, what they usually have, and no great depth."""
    level = [value]
    for _ in range(DEEPEST):
        kinds = set(map(type, level))
        others = kinds - SCALARS
        if not others:
            return True
        for kind in others - CONTAINERS:
            if (kind.__module__, kind.__qualname__) not in LEAVES:
                return False
        below = []
        for each in level:
            kind = type(each)
            if kind is dict:
                below += each.values()
            elif kind is list or kind is tuple:
                below += each
        if len(below) > 10 * LONGEST:
            # Few lists can have that many, where they contain the same ones again and again.
            raise Refused(INTERNAL_ERROR, "the result cannot be written: more than %d values" % (10 * LONGEST))
        level = below
    return False


# part: writing
# The walk over values that are more than JSON.

def unwritable(what):
    """Says why a result cannot be written."""
    return Refused(INTERNAL_ERROR, "the result cannot be written: " + what)


def plain(value, depth, around):
    """Returns what JSON has for a value. `around` has the ids of what contains it."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if is_enum(kind):
        return plain(value.value, depth, around)
    if isinstance(value, str):
        return checked_text(str(value) if kind is str else str.__str__(value))
    if isinstance(value, int):
        if not -2 ** 63 <= value < 2 ** 63:
            raise unwritable("an integer of more than 64 bits")
        return int(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), -float("inf")):
            raise unwritable({"nan": "NaN", "inf": "infinity", "-inf": "-infinity"}[float.__repr__(value)])
        return float(value)
    if writer_of(kind) is not None:
        return tagged(value)
    if id(value) in around:
        raise unwritable("it contains itself")
    if depth >= DEEPEST:
        raise unwritable("it is nested too deeply, more than %d levels" % DEEPEST)
    around.add(id(value))
    try:
        if hasattr(kind, "tolist"):
            return plain(value.tolist(), depth + 1, around)
        pairs = pairs_of(value, kind)
        if pairs is None:
            return listed(value, depth + 1, around)
        members = {key_text(key): plain(item, depth + 1, around) for key, item in pairs}
    finally:
        around.discard(id(value))
    if len(members) == 1:
        (key, item), = members.items()
        if key.startswith("$"):
            return {"$" + key: item}
    return members


def checked_text(text):
    """Returns a text that UTF-8 has."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise unwritable("text with a lone surrogate") from None
    return text


def key_text(key):
    """Returns the name of a member."""
    if is_enum(type(key)):
        key = key.value
    if isinstance(key, str):
        return checked_text(key)
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, int):
        return int.__repr__(key)
    if isinstance(key, float) and key == key:
        return float.__repr__(key)
    raise unwritable("a key of the class " + type(key).__qualname__)


def pairs_of(value, kind):
    """Returns the names and values of what is a struct, or None."""
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, type):
        raise unwritable("a class")
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return zip(kind._fields, value)
    if hasattr(kind, "__dataclass_fields__"):
        fields = [each for each in kind.__dataclass_fields__.values() if each._field_type.name == "_FIELD"]
        return [(each.name, getattr(value, each.name)) for each in fields if hasattr(value, each.name)]
    if hasattr(kind, "keys") and hasattr(kind, "__getitem__"):
        return [(key, value[key]) for key in value.keys()]
    return None


def listed(value, depth, around):
    """Returns the list of what can be iterated over."""
    if hasattr(type(value), "fileno"):
        raise unwritable("a file")
    if isinstance(value, BaseException):
        raise unwritable("an exception")
    if not hasattr(type(value), "__iter__"):
        name = type(value).__qualname__
        what = "a " + name if name in ("function", "module", "method", "coroutine") else "a value of the class " + name
        raise unwritable("a function" if name == "builtin_function_or_method" else what)
    items = []
    is_bounded = isinstance(value, (list, tuple, set, frozenset))
    for item in value:
        if len(items) >= LONGEST and not is_bounded:
            raise unwritable("more than %d items" % LONGEST)
        items.append(plain(item, depth, around))
    return items


# part: failing
# Exceptions.

part("files")


def failed(raised):
    """Returns what is to be answered for an exception: a fault if it is for the caller, else the account of it."""
    if isinstance(raised, Unknown):
        return b'"unknown": true'
    try:
        fault = fault_of(raised)
        if fault is not None:
            return b'"fault": ' + written(list(fault))
    except BaseException:
        pass  # An exception's text may raise another one.
    return b'"error": ' + written(account(raised)) + b', "raised": ' + written(class_and_text(raised))


def class_and_text(raised):
    """Returns the whole name of an exception's class, and its text."""
    kind = type(raised)
    place = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    try:
        text = str(raised).encode("utf-8", "backslashreplace").decode()
    except BaseException:
        text = ""
    return [place + kind.__qualname__, text[:LONGEST]]


def fault_of(raised):
    """Returns the code and text of an exception that is for the caller, or None."""
    kind = type(raised)
    if kind is Refused:
        return raised.code, raised.text
    client = sys.modules.get("xmlrpc.client")
    if client is not None and isinstance(raised, client.Fault) or hasattr(raised, "faultCode") and is_own_class(kind):
        if is_code(raised.faultCode):
            return raised.faultCode, str(raised.faultString)
    elif is_own_class(kind) and is_code(getattr(raised, "code", None)):
        # The text of a KeyError is quoted.
        is_quoted = isinstance(raised, KeyError) and len(raised.args) == 1 and kind.__str__ is KeyError.__str__
        return raised.code, str(raised.args[0] if is_quoted else raised)
    elif kind is TypeError and is_of_harness(raised):
        # No line of the function has been run: it cannot be called like this.
        return INVALID_PARAMS, str(raised)
    return None


def is_of_harness(raised):
    """Tells whether an exception was raised in here, not by what was called."""
    trace = raised.__traceback__
    while trace is not None and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    return trace is None


def is_code(code):
    """Tells whether something is the code of a fault."""
    return isinstance(code, int) and not isinstance(code, bool) and -2 ** 31 <= code < 2 ** 31


def is_own_class(kind):
    """Tells whether a class is defined in the module or in a file of its folder."""
    return kind.__module__ == getattr(module, "__name__", None) or is_own(file_of(kind.__module__))


def account(raised):
    """Returns the whole account of an exception, without lines of the harness."""
    trace = raised.__traceback__
    while trace is not None and (
            trace.tb_frame.f_globals is globals() or trace.tb_frame.f_code.co_filename.startswith("<frozen importlib")):
        trace = trace.tb_next
    try:
        traceback = library("traceback")
        text = "".join(traceback.format_exception(type(raised), raised, trace))
    except BaseException:
        text = type(raised).__name__ + ", of which no more can be said"
    return text.encode("utf-8", "backslashreplace").decode()


def account_of_load(raised):
    """Returns the account of why a module cannot be loaded; its last line says what to do where that is known."""
    if isinstance(raised, Unsupported):
        return str(raised) + "\n"
    return account(raised) + ("This is Python 2: 2to3 or a text editor makes it Python 3\n" if is_old(raised) else "")


OLD_MODULES = frozenset("""
    SimpleXMLRPCServer DocXMLRPCServer CGIXMLRPCRequestHandler xmlrpclib urllib2 urlparse httplib ConfigParser
    StringIO cStringIO Queue SocketServer BaseHTTPServer CGIHTTPServer cPickle commands __builtin__""".split())


def is_old(raised):
    """Tells whether it is Python 2 that makes a module fail."""
    if isinstance(raised, ModuleNotFoundError):
        return raised.name in OLD_MODULES
    if not isinstance(raised, SyntaxError):
        return False
    line = (raised.text or "").strip()
    words = line.split(" ")
    return (
        words[0] in ("print", "exec") and len(words) > 1 or words[0] in ("except", "raise") and "," in line
        or "<>" in line or "`" in line or str(raised.msg).startswith("leading zeros in decimal"))


# part: waiting
# Coroutines.

part("files")


def wait_for(number, result):
    """Answers a call when the result is there: at once, or later where several calls may be in flight."""
    global loop
    if loop is None:
        asyncio = library("asyncio")
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
    if setup.get("concurrent", 1) > 1:
        task = loop.create_task(settle(number, result))
        unfinished.add(task)
        task.add_done_callback(unfinished.discard)
    else:
        loop.run_until_complete(settle(number, result))


# The loop knows its tasks by weak references alone.
unfinished = set()


async def settle(number, result):
    """Awaits a result and answers."""
    try:
        if hasattr(type(result), "__await__"):
            result = await result
        if hasattr(type(result), "__aiter__"):
            result = await collected(result)
    except BaseException as raised:
        part("failing")
        line = failed(raised)
    else:
        line = outcome(result)
    answer(b'{"id": %d, %b}' % (number, line))


async def collected(source):
    """Returns the list of what an asynchronous iterator yields."""
    items = []
    async for item in source:
        if len(items) >= LONGEST:
            raise Refused(INTERNAL_ERROR, "the result cannot be written: more than %d items" % LONGEST)
        items.append(item)
    return items


def wait_for_input():
    """Runs the loop until there is something to be read."""
    loop.add_reader(socket, loop.stop)
    try:
        loop.run_forever()
    finally:
        loop.remove_reader(socket)


# part: compiling
# For faster starts.

def compile_itself(path, texts):
    """Writes the code of the harness to a file, that of the parts with it, and the digest of all behind it."""
    import marshal
    from _frozen_importlib_external import MAGIC_NUMBER
    part("failing")
    # Of the parts as octets, because a call needs few of them.
    codes = {name: marshal.dumps(compile(text, "<rpcgi>", "exec")) for name, text in texts_of(texts).items()}
    octets = MAGIC_NUMBER + marshal.dumps((compile(core, "<rpcgi>", "exec"), codes))
    octets += library("hashlib").sha256(octets).digest()
    temporary = "%s.%d" % (path, os.getpid())
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets)
        os.replace(temporary, path)
    except OSError as error:
        print("rpcgi: the compiled harness cannot be kept:", error, file=sys.stderr)


# part: types
# What annotations mean, for the description and for arguments.

part("files")


class Shape:
    """What an annotation means: one of the kinds below, or `any`, `nil`, `context`, `literal`, `union` and so on."""

    items = values = key = made = None
    parts = options = choices = ()
    or_nil = False
    help = ""

    def __init__(self, kind, **more):
        self.kind = kind
        self.bounds = {}
        self.__dict__.update(more)


SIMPLE = {
    "builtins.int": "integer", "builtins.float": "double", "builtins.str": "string", "builtins.bool": "boolean",
    "builtins.bytes": "base64", "builtins.bytearray": "bytearray", "builtins.memoryview": "memoryview",
    "datetime.datetime": "datetime", "datetime.date": "date", "datetime.time": "time",
    "datetime.timedelta": "timedelta", "decimal.Decimal": "Decimal", "uuid.UUID": "UUID",
    "fractions.Fraction": "Fraction", "pathlib.Path": "Path", "pathlib.PurePath": "Path", "pathlib.PosixPath": "Path",
    "pathlib.PurePosixPath": "Path"}
SETS = ("Set", "MutableSet", "AbstractSet")
LISTS = ("Sequence", "MutableSequence", "Collection", "Iterable", "Container", "Reversible")
ITERATORS = ("Iterator", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator")
STRUCTS = ("dict", "OrderedDict", "defaultdict", "Counter", "Mapping", "MutableMapping")
# Stand around the type that is meant: the last of their arguments.
AROUND = ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar", "Awaitable", "Coroutine")

BOUNDS = ("ge", "minimum", 0), ("gt", "minimum", 1), ("le", "maximum", 0), ("lt", "maximum", -1)

# The texts and aliases that are being resolved: one that contains itself is `any` there.
resolving = []


def shape_of(annotation, names, lost):
    """Returns what an annotation means. `names` are for those that are text; `lost` gets what cannot be resolved."""
    annotation = getattr(annotation, "__forward_arg__", annotation)
    if annotation is None or annotation is type(None):
        return Shape("nil")
    if isinstance(annotation, str) or type(annotation).__name__ == "TypeAliasType":
        return resolved(annotation, names, lost)
    if hasattr(annotation, "__metadata__"):
        return annotated(shape_of(annotation.__origin__, names, lost), annotation.__metadata__)
    if hasattr(annotation, "__supertype__"):
        return shape_of(annotation.__supertype__, names, lost)
    origin = getattr(annotation, "__origin__", None)
    args = getattr(annotation, "__args__", None) or ()
    special = "Union" if type(annotation).__name__ == "UnionType" else name_of(origin)
    if special == "Union":
        return union_of([shape_of(each, names, lost) for each in args])
    if special == "Literal":
        return Shape("literal", choices=args)
    if special in AROUND and args:
        return shape_of(args[-1], names, lost)
    kind = annotation if origin is None else origin
    return shape_of_class(kind, args, names, lost) if isinstance(kind, type) else Shape("any")


def name_of(special):
    """Returns the name of something of `typing`."""
    return getattr(special, "_name", None) or getattr(special, "__name__", None)


def resolved(annotation, names, lost):
    """Returns what an annotation means that is a text, or the alias of `type X = ..`."""
    if annotation in resolving:
        return Shape("any")
    resolving.append(annotation)
    try:
        if not isinstance(annotation, str):
            return shape_of(annotation.__value__, names, lost)
        try:
            value = eval(annotation, names, {} if "rpcgi" in names else {"rpcgi": sys.modules["rpcgi"]})
        except TypeError:
            # Before Python 3.10 types have no operator for unions.
            options = divided(annotation)
            if len(options) < 2:
                raise
            return union_of([shape_of(each, names, lost) for each in options])
        return shape_of(value, names, lost)
    except Exception:
        lost.append(str(annotation))
        return Shape("any")
    finally:
        resolving.pop()


def divided(text):
    """Splits a text at the bars outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[(") - (letter in "])")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [each.strip() for each in parts]


def annotated(shape, metadata):
    """Adds to a shape what `Annotated` says: a text, or objects with bounds like those of annotated_types."""
    for each in metadata:
        text = each if isinstance(each, str) else getattr(each, "documentation", None)
        if isinstance(text, str):
            shape.help = text
            continue
        for name, bound, step in BOUNDS:
            value = getattr(each, name, None)
            if isinstance(value, (int, float)):
                shape.bounds[bound] = value + step if shape.kind == "integer" else value
        if isinstance(getattr(each, "max_length", None), int):
            shape.bounds["max_length"] = each.max_length
        pattern = getattr(each, "pattern", None)
        pattern = getattr(pattern, "pattern", pattern)
        if isinstance(pattern, str):
            shape.bounds["pattern"] = pattern
    return shape


def union_of(shapes):
    """Returns what a union means; mostly it is one type or nil."""
    others = [each for each in shapes if each.kind != "nil"]
    if any(each.kind == "context" for each in others):
        return Shape("context")
    # An integer is one even where a float, which it would fit as well, stands before it.
    others.sort(key=lambda each: each.kind == "double")
    shape = others[0] if len(others) == 1 else Shape("union", options=others) if others else Shape("nil")
    shape.or_nil = len(others) < len(shapes) or any(each.or_nil for each in others)
    return shape


def shape_of_class(kind, args, names, lost):
    """Returns what a class means, and the types in brackets behind it."""
    def inner(index):
        """Returns what the type at a place in the brackets means; nothing if it is any."""
        shape = shape_of(args[index], names, lost) if index < len(args) else None
        return shape if shape is not None and shape.kind != "any" else None

    name = kind.__name__
    home = kind.__module__.partition(".")[0]
    if kind is Request:
        return Shape("context")
    if home + "." + name in SIMPLE:
        return Shape(SIMPLE[home + "." + name])
    if "enum" in sys.modules and isinstance(kind, sys.modules["enum"].EnumMeta):
        return Shape("enum", made=kind, choices=list(kind))
    if hasattr(kind, "__dataclass_fields__") or issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return Shape("record", made=kind)
    if hasattr(kind, "__total__") and issubclass(kind, dict):
        return Shape("record", made=kind)
    if home not in ("builtins", "collections", "typing"):
        return Shape("any")
    if kind is tuple:
        if args and Ellipsis not in args and args != ((),):
            return Shape("tuple", made=tuple, parts=[shape_of(each, names, lost) for each in args])
        return Shape("array", made=tuple, items=inner(0))
    if name in ("list", "set", "frozenset", "deque"):
        return Shape("array", made=kind, items=inner(0))
    if name in SETS or name in LISTS or name in ITERATORS:
        return Shape("array", made=set if name in SETS else iter if name in ITERATORS else list, items=inner(0))
    if name == "Counter":
        return Shape("struct", made=kind, key=inner(0), values=Shape("integer"))
    if name in STRUCTS:
        return Shape("struct", made=kind if name == "OrderedDict" else dict, key=inner(0), values=inner(1))
    return Shape("any")


# The members of dataclasses and so on, when they have been asked for: triples of name, shape, optional.
records = {}


def members_of(kind, lost):
    """Returns the members of a dataclass, NamedTuple or TypedDict."""
    if kind not in records:
        missing = []
        records[kind] = [
            (name, shape_of(annotation, names_around(kind, name), missing), optional)
            for name, annotation, optional in fields_of(kind)], missing
    lost += records[kind][1]
    return records[kind][0]


def fields_of(kind):
    """Returns names, annotations, and whether they may be left out."""
    if hasattr(kind, "__dataclass_fields__"):
        nothing = sys.modules["dataclasses"].MISSING
        return [
            (each.name, each.type, each.default is not nothing or each.default_factory is not nothing)
            for each in kind.__dataclass_fields__.values() if each.init and each._field_type.name != "_FIELD_CLASSVAR"]
    annotations = getattr(kind, "__annotations__", {})
    if hasattr(kind, "_fields"):
        defaults = getattr(kind, "_field_defaults", {})
        return [(name, annotations.get(name, object), name in defaults) for name in kind._fields]
    required = getattr(kind, "__required_keys__", annotations if kind.__total__ else ())

    def is_required(name, annotation):
        text = getattr(annotation, "__forward_arg__", annotation)
        word = text.partition("[")[0].rpartition(".")[2] if isinstance(text, str) else \
            name_of(getattr(annotation, "__origin__", None))
        return word == "Required" or name in required and word != "NotRequired"
    return [(name, each, not is_required(name, each)) for name, each in annotations.items()]


def names_around(kind, name):
    """Returns the names of the module whose class has a member, for annotations that are text."""
    for each in kind.__mro__:
        if name in (each.__dict__.get("__annotations__") or ()):
            kind = each
            break
    return vars(sys.modules.get(kind.__module__, module))


NOTHING = object()


class Param:
    """A param. Its kind is `position`, `positional` (which has no name for callers), or as in the description."""

    def __init__(self, name, kind, default, annotation):
        self.name, self.kind, self.default, self.annotation = name, kind, default, annotation


def params_of(function):
    """Returns the params of a function, without a bound `self`, and its names for annotations; None if unknown."""
    inner = unwrapped(function)
    code = getattr(inner, "__code__", None)
    if code is None or hasattr(inner, "__signature__"):
        return params_by_inspect(function, inner)
    annotations = getattr(inner, "__annotations__", None) or {}
    names = code.co_varnames
    count, total = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    defaults = dict(zip(reversed(names[:count]), reversed(inner.__defaults__ or ())))
    defaults.update(inner.__kwdefaults__ or {})
    kinds = ["positional" if index < code.co_posonlyargcount else "position" for index in range(count)]
    kinds += ["keyword"] * (total - count)
    params = [
        Param(name, kind, defaults.get(name, NOTHING), annotations.get(name, NOTHING))
        for name, kind in zip(names, kinds)]
    if type(function).__name__ == "method" and count:
        del params[0]
        count -= 1
    if code.co_flags & 4:
        name = names[total]
        params.insert(count, Param(name, "rest", NOTHING, annotations.get(name, NOTHING)))
        total += 1
    if code.co_flags & 8:
        name = names[total]
        params.append(Param(name, "options", NOTHING, annotations.get(name, NOTHING)))
    return params, names_of(inner)


def names_of(function):
    """Returns the names that annotations of a function may use when they are text."""
    names = getattr(function, "__globals__", None) or vars(module)
    own = getattr(function, "__type_params__", ())
    return dict(names, **{each.__name__: each for each in own}) if own else names


def params_by_inspect(function, inner):
    """Returns the same for what is no plain function, with the module that knows about all of them."""
    inspect = library("inspect")
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return None
    kinds = dict(zip(
        ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY", "VAR_POSITIONAL", "VAR_KEYWORD"),
        ("positional", "position", "keyword", "rest", "options")))
    params = [
        Param(each.name, kinds[each.kind.name], *(NOTHING if value is inspect.Parameter.empty else value
                                                  for value in (each.default, each.annotation)))
        for each in signature.parameters.values()]
    while hasattr(inner, "func"):
        inner = unwrapped(inner.func)
    return params, names_of(inner if hasattr(inner, "__globals__") else getattr(type(inner), "__call__", inner))


# part: converting
# Arguments.

class Misfit(Exception):
    """Says why a value is not what an annotation asks for. `path` leads to it from the param."""

    def __init__(self, text):
        super().__init__(text)
        self.text, self.path = text, ""


def misfit(expected, value):
    """Returns the exception for a value of another kind."""
    return Misfit("expected %s, found %s" % (expected, shown(value)))


def shown(value):
    """Returns a value as it is told to a caller."""
    if isinstance(value, (list, tuple)):
        return "an array"
    if isinstance(value, dict):
        return "a struct"
    if value is None or isinstance(value, (bool, int, float, str)):
        text = "".join(encoder(value, 0))
        return text if len(text) <= 60 else text[:60] + ".."
    return "octets" if isinstance(value, bytes) else "a date and time"


def converters_of(function):
    """Returns converters by position and by name, with those of `*args` and `**kwargs` as `*` and `**`."""
    known = params_of(function)
    converters = {}
    for index, param in enumerate(known[0] if known else ()):
        if param.annotation is NOTHING or param.name == setup.get("context"):
            continue
        use = converter(shape_of(param.annotation, known[1], []))
        if use is None:
            continue
        if param.kind in ("position", "positional"):
            converters[index] = param.name, use
        if param.kind in ("position", "keyword"):
            converters[param.name] = param.name, use
        elif param.kind == "rest":
            converters["*"] = param.name, use
            converters["* from"] = index
        elif param.kind == "options":
            converters["**"] = param.name, use
    return converters


def convert(converters, args, named, context):
    """Makes of arguments what the annotations ask for."""
    before = context.get("index") if context else None
    for index, value in enumerate(args):
        entry = converters.get(index)
        if entry is None and index >= converters.get("* from", len(args)):
            entry = converters["*"]
        if entry is not None and type(value) is not Request:
            number = index if before is not None and before < index else index + 1
            args[index] = converted('param %d "%s"' % (number, entry[0]), entry[1], value)
    for name, value in named.items():
        entry = converters.get(name) or converters.get("**")
        if entry is not None and type(value) is not Request:
            named[name] = converted('param "%s"' % name, entry[1], value)


def converted(label, use, value):
    """Makes of one argument what its annotation asks for."""
    try:
        return use(value)
    except Misfit as error:
        path = ", at " + error.path.lstrip(".") if error.path else ""
        raise Refused(INVALID_PARAMS, "%s%s: %s" % (label, path, error.text)) from None


def converter(shape, strict=False):
    """Returns the function that makes what a shape asks for, or None where values are that already.

    rpcgi has checked values already, but not those of unions: what is `strict` has to check as well.
    """
    build = BUILDERS.get(shape.kind)
    use = build(shape, strict) if build else None
    if use is None and strict and shape.kind in CHECKED:
        classes, words = CHECKED[shape.kind]
        use = made_of(lambda value: value, classes, words)
    if use is None:
        return None
    return lambda value: None if value is None else use(value)


CHECKED = {
    "integer": (int, "an integer"), "string": (str, "a string"), "base64": (bytes, "octets"),
    "boolean": (bool, "a boolean"), "array": (list, "an array"), "struct": (dict, "a struct")}


def made_of(make, classes, words):
    """Returns a function that makes something of values of some classes."""
    def use(value):
        if not isinstance(value, classes) or isinstance(value, bool) and classes is not bool:
            raise misfit(words, value)
        try:
            return make(value)
        except (ValueError, ArithmeticError, TypeError):
            raise misfit(words, value) from None
    return use


def of_library(home, name, classes, words, before=None):
    """Returns what builds the converter for a class that the module has imported."""
    def build(shape, strict):
        make = getattr(sys.modules[home], name)
        return made_of((lambda value: make(before(value))) if before else make, classes, words)
    return build


def date_converter(shape, strict):
    """Returns the converter for dates, with a time and without."""
    datetime = sys.modules["datetime"]

    def make(value):
        if isinstance(value, str):
            part("tags")
            value = date_of(value.replace("Z", ""))
        return value.date() if shape.kind == "date" and isinstance(value, datetime.datetime) else value
    return made_of(make, (datetime.date, str), "a date" if shape.kind == "date" else "a date and time")


def time_converter(shape, strict):
    """Returns the converter for times of the day."""
    return made_of(sys.modules["datetime"].time.fromisoformat, str, "a time")


def timedelta_converter(shape, strict):
    """Returns the converter for durations."""
    timedelta = sys.modules["datetime"].timedelta
    return made_of(lambda value: timedelta(seconds=value), (int, float), "a number of seconds")


def array_converter(shape, strict):
    """Returns the converter for lists, sets and so on."""
    item = converter(shape.items, strict) if shape.items else None
    if item is None and shape.made is list:
        return None

    def use(value):
        if not isinstance(value, list):
            raise misfit("an array", value)
        items = value if item is None else [
            placed("[%d]" % index, item, each) for index, each in enumerate(value)]
        try:
            return shape.made(items)
        except TypeError:
            raise misfit("an array of values that a set can have", value) from None
    return use


def placed(place, use, value):
    """Makes something of a value inside of another, and tells where it was if that fails."""
    try:
        return use(value) if use else value
    except Misfit as error:
        error.path = place + error.path
        raise


def tuple_converter(shape, strict):
    """Returns the converter for tuples of a certain number."""
    uses = [converter(each, strict) for each in shape.parts]

    def use(value):
        if not isinstance(value, list) or len(value) != len(uses):
            raise misfit("an array of %d" % len(uses), value)
        return tuple(placed("[%d]" % index, *pair) for index, pair in enumerate(zip(uses, value)))
    return use


def struct_converter(shape, strict):
    """Returns the converter for dicts."""
    item = converter(shape.values, strict) if shape.values else None
    key = None
    if shape.key and shape.key.kind in ("integer", "double"):
        key = made_of(int if shape.key.kind == "integer" else float, str, "a number as name of a member")
    elif shape.key:
        key = converter(shape.key)
    if item is None and key is None and shape.made is dict:
        return None

    def use(value):
        if not isinstance(value, dict):
            raise misfit("a struct", value)
        return shape.made({
            placed("." + name, key, name): placed("." + name, item, each) for name, each in value.items()})
    return use


def record_converter(shape, strict):
    """Returns the converter for dataclasses, NamedTuples and TypedDicts. Their members may be of the same class."""
    uses = {}

    def use(value):
        if not isinstance(value, dict):
            raise misfit("a struct", value)
        if not uses:
            uses.update((name, converter(each, strict)) for name, each, _ in members_of(shape.made, []))
        for name, _, optional in members_of(shape.made, []):
            if not optional and name not in value:
                raise Misfit('the member "%s" is missing' % name)
        for name in value:
            if name not in uses:
                raise Misfit('there is no member "%s"' % name)
        return shape.made(**{name: placed("." + name, uses[name], each) for name, each in value.items()})
    return use


def choice_converter(shape, strict):
    """Returns the converter for members of an Enum, by value, and for literals."""
    values = [getattr(each, "value", each) for each in shape.choices]
    if not strict and values == list(shape.choices) and shape.kind == "literal":
        return None
    words = "one of " + ", ".join(map(shown, values))

    def use(value):
        for choice, each in zip(shape.choices, values):
            if each == value and isinstance(each, bool) == isinstance(value, bool):
                return choice
        try:
            # It may know more than its members: combined flags, other ways to write one.
            return shape.made(value)
        except (ValueError, TypeError):
            raise misfit(words, value) from None
    return use


def union_converter(shape, strict):
    """Returns the converter for unions: the first type that fits."""
    uses = [converter(each, True) for each in shape.options]

    def use(value):
        texts = []
        for each in uses:
            try:
                return each(value) if each else value
            except Misfit as error:
                texts.append(error.text)
        raise Misfit(", or ".join(dict.fromkeys(texts)))
    return use


BUILDERS = {
    "double": lambda shape, strict: made_of(float, (int, float), "a number"),
    "bytearray": lambda shape, strict: made_of(bytearray, bytes, "octets"),
    "memoryview": lambda shape, strict: made_of(memoryview, bytes, "octets"),
    "datetime": date_converter, "date": date_converter, "time": time_converter, "timedelta": timedelta_converter,
    "Decimal": of_library("decimal", "Decimal", (str, int, float), "a decimal number", str),
    "UUID": of_library("uuid", "UUID", str, "a UUID"),
    "Fraction": of_library("fractions", "Fraction", (str, int, float), "a fraction"),
    "Path": of_library("pathlib", "Path", str, "a path"),
    "array": array_converter, "tuple": tuple_converter, "struct": struct_converter, "record": record_converter,
    "enum": choice_converter, "literal": choice_converter, "union": union_converter}


# part: describing
# The description.

def description():
    """Returns the description of the module."""
    if instance is not None:
        part("objects")
    codes = {}
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, BaseException):
            part("failing")
            if not is_own_class(value):
                continue
            code = getattr(value, "code", None)
            code = code if is_code(code) else getattr(value, "faultCode", None)
            if is_code(code):
                codes[name] = int(code)
    functions, notes = public_functions() if script is None else served_functions()
    described = [function_description(*each) for each in functions]
    more = {} if script is None else told_of_script(described)
    files = {file_of(name) for name in list(sys.modules)}
    return {
        "functions": described, **more,
        "files": [setup["file"]] + sorted(file for file in files if is_own(file) and file != setup["file"]),
        "version": "%d.%d.%d" % sys.version_info[:3], "codes": codes, "notes": notes}


def public_functions():
    """Returns triples of name, function, and whether it is listed, in the order of the source; and notes."""
    notes = []
    if instance is not None:
        found = {}
        for members in reversed(places_of_methods()):
            for name, member in members.items():
                found.pop(name, None)
                if not name.startswith("_") and is_method(member):
                    found[name] = getattr(instance, name)
        listed = None
    else:
        listed = vars(module).get("__all__")
        found = {name: each for name, each in vars(module).items() if callable(each) and not isinstance(each, type)}
        if listed is not None:
            missing = [name for name in listed if name not in vars(module)]
            notes += ["`__all__` names `%s`, which the module does not have" % name for name in missing]
            found = {name: each for name, each in found.items() if name in listed}
        else:
            found = {
                name: each for name, each in found.items()
                if not name.startswith("_") and (is_of_module(each) or is_partial(each))}
            notes += [
                "`%s` looks like a decorator and is published: without = [\"%s\"]" % (name, name)
                for name, each in found.items() if is_decorator(each)]
    # What has no line stands where it does in the module: after what was defined before it.
    places, last = {}, 0
    for name, each in found.items():
        last = places[name] = line_of(each) or last
    names = sorted(found, key=places.get)
    return [(name, found[name], listed is not None) for name in names], notes


def is_of_module(function):
    """Tells whether a function is defined in the module, not imported."""
    return getattr(function, "__module__", None) == module.__name__


def is_partial(function):
    """Tells whether it is a `functools.partial`, which does not know its module."""
    return type(function).__name__ == "partial" and type(function).__module__ == "functools"


def is_decorator(function):
    """Tells whether it takes a function alone, and has one inside."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_argcount != 1 or code.co_kwonlyargcount or code.co_flags & 12:
        return False
    param = code.co_varnames[0]
    annotation = (getattr(function, "__annotations__", None) or {}).get(param)
    has_inner = any(type(each) is type(code) and not each.co_name.startswith("<") for each in code.co_consts)
    return has_inner and (param in ("func", "fn", "function", "f") or "Callable" in str(annotation))


def line_of(function):
    """Returns the line at which a function begins, if it stands in the module's file."""
    code = getattr(unwrapped(function), "__code__", None)
    return code.co_firstlineno if code is not None and code.co_filename == module.__file__ else None


def function_description(name, function, listed):
    """Returns the description of a function."""
    described = {"name": name, "listed": listed, "notes": []}
    if function is None:
        return described
    doc = getattr(function, "__doc__", None)
    if isinstance(doc, str) and is_own_doc(doc, type(function)):
        described["doc"] = doc.encode("utf-8", "replace").decode()
    if line_of(function):
        described["line"] = line_of(function)
    known = params_of(function)
    if known is None:
        return described
    params, names = known
    lost = []
    shapes = [None if each.annotation is NOTHING else shape_of(each.annotation, names, lost) for each in params]
    context = context_index(params, shapes)
    if context is not None:
        described["context"] = {"name": params[context].name}
        if params[context].kind in ("position", "positional"):
            described["context"]["index"] = context
    described["params"] = [
        param_description(param, shape, lost)
        for index, (param, shape) in enumerate(zip(params, shapes)) if index != context]
    annotations = getattr(unwrapped(function), "__annotations__", None) or {}
    if "return" in annotations:
        described["returns"] = type_of(shape_of(annotations["return"], names, lost), lost)
    described["notes"] = ["an annotation cannot be resolved: `%s`" % text for text in dict.fromkeys(lost)]
    inner, _, outer = getattr(function, "__qualname__", "")[::-1].partition(".>slacol<.")
    if outer and inner[::-1] not in (name, "<lambda>"):
        described["notes"].append(
            "it is `%s` inside of `%s`: if that is a decorator, `functools.wraps` would keep the params and the comment"
            % (inner[::-1], outer[::-1]))
    return described


def is_own_doc(doc, kind):
    """Tells whether a docstring is about this function: what is none has that of its class."""
    if doc != kind.__doc__:
        return True
    part("failing")
    return is_own_class(kind)


def context_index(params, shapes):
    """Returns the place of the param that takes the context: by the name that was told, else by its annotation."""
    for index, param in enumerate(params):
        if param.name == setup.get("context") and param.kind not in ("rest", "options"):
            return index
    for index, shape in enumerate(shapes):
        if shape is not None and shape.kind == "context":
            return index
    return None


def param_description(param, shape, lost):
    """Returns the description of a param."""
    described = {"name": param.name, "optional": param.default is not NOTHING or param.kind in ("rest", "options")}
    if shape is not None:
        described["type"] = type_of(shape, lost)
    if param.kind in ("keyword", "rest", "options"):
        described["kind"] = param.kind
    if param.kind == "positional":
        described["positional"] = True
    if param.default is not NOTHING and not hasattr(type(param.default), "__next__"):
        try:
            text = written(param.default)
            if len(text) <= 1000:
                described["default"] = scan(text.decode(), 0)[0]
        except Exception:
            pass  # No wire has it, and nobody has to see it.
    return described


WIRE = {
    "integer": "integer", "double": "double", "boolean": "boolean", "string": "string", "nil": "nil",
    "base64": "base64", "bytearray": "base64", "memoryview": "base64", "datetime": "dateTime.iso8601",
    "date": "dateTime.iso8601", "time": "string", "timedelta": "double", "Decimal": "string", "UUID": "string",
    "Fraction": "string", "Path": "string", "array": "array", "tuple": "array", "struct": "struct", "record": "struct"}


def type_of(shape, lost, around=()):
    """Returns a type of the description. `around` has the classes that contain it: none is described inside itself."""
    described = {"type": WIRE.get(shape.kind, "any")}
    if shape.kind == "array" and shape.items:
        described["items"] = type_of(shape.items, lost, around)
    elif shape.kind == "struct" and shape.values:
        described["values"] = type_of(shape.values, lost, around)
    elif shape.kind == "record" and shape.made not in around:
        helps = helps_of(shape.made)
        described["members"] = [
            {"name": name, "type": type_of(each, lost, around + (shape.made,)), "optional": optional,
             **({"help": helps[name]} if name in helps else {})}
            for name, each, optional in members_of(shape.made, lost)]
    elif shape.kind in ("enum", "literal"):
        values = [getattr(each, "value", each) for each in shape.choices]
        for kind, name in (str, "string"), (int, "integer"), (float, "double"):
            if values and all(isinstance(each, kind) and not isinstance(each, bool) for each in values):
                described.update(type=name, choices=[kind(each) for each in values])
    elif shape.kind == "union":
        types = [type_of(each, lost, around) for each in shape.options]
        if all(each == types[0] for each in types):
            described = dict(types[0]) if isinstance(types[0], dict) else {"type": types[0]}
    described.update(shape.bounds)
    if shape.or_nil and described["type"] not in ("any", "nil"):
        described["or_nil"] = True
    if shape.help:
        described["help"] = shape.help
    return described if len(described) > 1 else described["type"]


def helps_of(kind):
    """Returns what the part `Attributes:` of a docstring says of each member."""
    _, _, text = (kind.__doc__ or "").partition("Attributes:\n")
    helps, name, margin = {}, None, None
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip())
        if not line.strip():
            continue
        if margin is None:
            margin = depth
        if depth < margin:
            break
        head, colon, rest = line.strip().partition(":")
        if depth == margin and colon:
            name = head.split(" ")[0].strip("`*")
            helps[name] = rest.strip()
        elif name is not None:
            helps[name] += " " + line.strip()
    return helps
