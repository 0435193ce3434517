"""The exercise of Odoo's documentation of its interface, with nothing but Python's standard library.

Usage: openacademy.py URL, where the paths of the service are below the URL.
"""

import json
import random
import sys
import threading
import urllib.request
import xmlrpc.client

DB, USER, PASSWORD = "openacademy", "admin", "admin"
WRITERS, WRITES = 4, 5

url = sys.argv[1].rstrip("/")


class JsonError(Exception):
    pass


def json_rpc(method, params):
    data = {"jsonrpc": "2.0", "method": method, "params": params, "id": random.randint(0, 1_000_000_000)}
    request = urllib.request.Request(
        url=url + "/jsonrpc", data=json.dumps(data).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Type"] == "application/json", answer.headers
        reply = json.load(answer)
    assert reply["id"] == data["id"], reply
    if reply.get("error"):
        raise JsonError(reply["error"]["code"], reply["error"]["message"])
    return reply["result"]


def call(service, method, *args):
    return json_rpc("call", {"service": service, "method": method, "args": args})


def refused(run, *args):
    """The code and text of the fault that a call ends in."""
    try:
        run(*args)
    except xmlrpc.client.Fault as fault:
        return fault.faultCode, fault.faultString
    except JsonError as error:
        return error.args
    raise AssertionError(f"{args} is not refused")


common = xmlrpc.client.ServerProxy(url + "/xmlrpc/common")
objects = xmlrpc.client.ServerProxy(url + "/xmlrpc/object")


def exercise(name, login, execute):
    uid = login(DB, USER, PASSWORD)
    assert uid == 1, uid

    def run(model, method, *args):
        return execute(DB, uid, PASSWORD, model, method, *args)

    # all sessions and their seats
    sessions = run("openacademy.session", "search_read", [], ["name", "seats"])
    for session in sessions:
        print(f"Session {session['name']} ({session['seats']} seats)")
    assert [session["seats"] for session in sessions[:3]] == [20, 15, 10], sessions
    assert set(sessions[0]) == {"id", "name", "seats"}, sessions

    # a session for a course
    course = run("openacademy.course", "search", [["name", "ilike", "functional"]])[0]
    values = {"name": f"By {name}", "course_id": course, "duration": 2, "start_date": "2026-12-01"}
    session = run("openacademy.session", "create", values)
    assert run("openacademy.session", "read", [session]) == [
        {
            "id": session,
            "name": f"By {name}",
            "seats": False,
            "start_date": "2026-12-01",
            "duration": 2.0,
            "course_id": [course, "Functional Training"],
        }
    ]

    # a note
    memo = f"This is a note by {name}, with <markup> & \N{EURO SIGN}"
    note = run("note.note", "create", {"color": 8, "memo": memo, "create_uid": uid})
    [read] = run("note.note", "read", note, ["memo", "color", "create_uid"])
    assert read == {"id": note, "memo": memo, "color": 8, "create_uid": [1, "Administrator"]}, read

    # conditions, order, and a part of what is found
    found = run("openacademy.session", "search", [["seats", ">=", 10], ["seats", "!=", False]], 0, 2, "seats desc, id")
    assert found == [1, 2], found
    found = run("openacademy.session", "search", [["seats", "in", [10, 15]]], 1, False, "seats")
    assert found == [2], found
    found = run("openacademy.session", "search_read", [["id", "not in", [1, 2]], ["name", "like", "First t"]], ["name"])
    assert found == [{"id": 3, "name": "First technical session"}], found
    assert run("openacademy.session", "search", [["seats", "=", False], ["id", "=", session]]) == [session]

    # changes
    assert run("openacademy.session", "write", [session], {"seats": 7, "start_date": False}) is True
    [read] = run("openacademy.session", "read", [session], ["seats", "start_date"])
    assert read == {"id": session, "seats": 7, "start_date": False}, read
    assert run("openacademy.session", "unlink", [session]) is True

    # what is wrong
    denied = (3, "access denied")
    assert login(DB, USER, "wrong") is False
    assert login(DB, "nobody", "wrong") is False
    assert login("other", USER, PASSWORD) is False
    assert refused(execute, DB, uid, "wrong", "note.note", "search") == denied
    assert refused(execute, DB, 99, PASSWORD, "note.note", "search") == denied
    for expected, args in [
        ((2, 'there is no model "res.users"'), ("res.users", "search")),
        ((2, 'note.note has no method "drop"'), ("note.note", "drop")),
        ((2, 'note.note has no field "name"'), ("note.note", "search", [["name", "=", "x"]])),
        ((2, 'note.note has no field "memo;"'), ("note.note", "search", [], 0, 1, "memo;")),
        ((2, f"openacademy.session has no record {session}"), ("openacademy.session", "read", [session])),
        ((2, f"openacademy.session has not all of the records 1, {session}"),
         ("openacademy.session", "write", [1, session], {"seats": 1})),
        ((2, "field name: expected a value, found none"), ("openacademy.session", "create", {"seats": 1})),
        ((2, "field seats: expected an int"), ("openacademy.session", "write", [1], {"seats": "many"})),
        ((2, "field start_date: expected a date as 2026-11-22"), ("openacademy.session", "write", [1], {"start_date": "soon"})),
        ((2, "a record that is referred to is not there"), ("openacademy.session", "write", [1], {"course_id": 99})),
        ((-32602, "expected model, found no more params"), ()),
        ((-32602, "offset and limit: expected 0 or more, found -1"), ("note.note", "search", [], 0, -1)),
        ((-32602, "expected no more params, found one more"), ("note.note", "search", [], 0, 1, "id", "more")),
    ]:
        found = refused(execute, DB, uid, PASSWORD, *args)
        assert found == expected, (found, expected)
    [read] = run("openacademy.session", "read", [1], ["seats"])
    assert read["seats"] == 20, read


exercise("XML-RPC", common.login, objects.execute)
exercise("JSON-RPC", lambda *args: call("common", "login", *args), lambda *args: call("object", "execute", *args))


# the client that Odoo's documentation prints, but for the names of databases and users
info = {"database": DB, "user": USER, "password": PASSWORD}
db, username, password = info["database"], info["user"], info["password"]

common = xmlrpc.client.ServerProxy("{}/xmlrpc/2/common".format(url))
version = common.version()
assert version["protocol_version"] == 1 and version["server_version_info"][3] == "final", version
uid = common.authenticate(db, username, password, {})
assert uid == 1
assert common.authenticate(db, username, "wrong", {}) is False
models = xmlrpc.client.ServerProxy("{}/xmlrpc/2/object".format(url))
assert models.execute_kw(
    db, uid, password, "res.partner", "check_access_rights", ["read"], {"raise_exception": False}) is True
companies = [[["is_company", "=", True]]]
ids = models.execute_kw(db, uid, password, "res.partner", "search", companies)
assert ids == [1], ids
assert models.execute_kw(db, uid, password, "res.partner", "search", companies, {"offset": 10, "limit": 5}) == []
assert models.execute_kw(db, uid, password, "res.partner", "search_count", companies) == 1
ids = models.execute_kw(db, uid, password, "res.partner", "search", companies, {"limit": 1})
[record] = models.execute_kw(db, uid, password, "res.partner", "read", [ids])
assert record["is_company"] is True and record["country_id"] == [1, "Belgium"], record
[record] = models.execute_kw(
    db, uid, password, "res.partner", "read", [ids], {"fields": ["name", "country_id", "comment"]})
assert record == {"id": 1, "name": "Agrolait", "country_id": [1, "Belgium"], "comment": False}, record
fields = models.execute_kw(
    db, uid, password, "res.partner", "fields_get", [], {"attributes": ["string", "help", "type"]})
assert fields["country_id"]["type"] == "many2one", fields
found = models.execute_kw(
    db, uid, password, "res.partner", "search_read", companies,
    {"fields": ["name", "country_id", "comment"], "limit": 5})
assert found == [record], found
id = models.execute_kw(db, uid, password, "res.partner", "create", [{"name": "New Partner"}])
models.execute_kw(db, uid, password, "res.partner", "write", [[id], {"name": "Newer partner"}])
assert models.execute_kw(db, uid, password, "res.partner", "name_get", [[id]]) == [[id, "Newer partner"]]
models.execute_kw(db, uid, password, "res.partner", "unlink", [[id]])
assert models.execute_kw(db, uid, password, "res.partner", "search", [[["id", "=", id]]]) == []
assert refused(models.execute_kw, db, uid, "wrong", "res.partner", "search", [[]]) == (3, "access denied")

# a notification is answered by nothing
notification = {"jsonrpc": "2.0", "method": "call", "params": {"service": "common", "method": "login", "args": []}}
request = urllib.request.Request(
    url=url + "/jsonrpc", data=json.dumps(notification).encode(), headers={"Content-Type": "application/json"}
)
with urllib.request.urlopen(request) as answer:
    assert (answer.status, answer.read()) == (204, b""), answer.status

# several write at once, by either, and nothing is lost
memo = f"written at once {random.randint(0, 1_000_000_000)}"


def write(number):
    proxy = xmlrpc.client.ServerProxy(url + "/xmlrpc/object")
    for turn in range(WRITES):
        args = (DB, 1, PASSWORD, "note.note", "create", {"memo": memo, "color": number})
        (proxy.execute if turn % 2 else lambda *args: call("object", "execute", *args))(*args)


threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
notes = objects.execute(DB, 1, PASSWORD, "note.note", "search_read", [["memo", "=", memo]], ["color"])
assert sorted(note["color"] for note in notes) == sorted(list(range(WRITERS)) * WRITES), notes

# each path has its own methods, and their page
common_methods, object_methods = ["authenticate", "login", "version"], ["execute", "execute_kw"]
for path, expected in [
    ("/xmlrpc/common", common_methods), ("/xmlrpc/2/common", common_methods), ("/xmlrpc/object", object_methods),
    ("/xmlrpc/2/object", object_methods), ("/jsonrpc", ["call"]),
]:
    methods = xmlrpc.client.ServerProxy(url + path).system.listMethods()
    assert [name for name in methods if "." not in name] == expected, methods
    with urllib.request.urlopen(url + path) as page:
        text = page.read().decode()
        assert all(f'id="m-{method}"' in text for method in expected), path
try:
    urllib.request.urlopen(url + "/xmlrpc/other")
    raise AssertionError("there is something at /xmlrpc/other")
except urllib.error.HTTPError as error:
    assert error.code == 404, error

print("openacademy: all answers as expected")
