"""A worker of rpcgi: notes in a database. A line of JSON in, a line of JSON out."""

import json
import os
import sqlite3
import sys
import traceback

file = os.environ.get("NOTES_FILE") or os.path.expanduser("~/.rpcgi-notes.sqlite")
database = sqlite3.connect(file, timeout=10, isolation_level=None)
database.execute(
    "CREATE TABLE IF NOT EXISTS note "
    "(id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"
)


class Fault(Exception):
    def __init__(self, code, message):
        self.error = {"code": code, "message": message}


def create(text):
    return database.execute("INSERT INTO note (text) VALUES (?)", [text]).lastrowid


def list_notes(containing=""):
    notes = database.execute(
        "SELECT id, text, created FROM note WHERE instr(text, ?) OR ? = '' ORDER BY id DESC", [containing, containing]
    )
    return [{"id": id, "text": text, "created": created.replace(" ", "T")} for id, text, created in notes]


def delete(id):
    if not database.execute("DELETE FROM note WHERE id = ?", [id]).rowcount:
        raise Fault(1, f"there is no note {id}")


METHODS = {"notes.create": create, "notes.list": list_notes, "notes.delete": delete}

# rpcgi reads the answers; whatever else is printed goes to the log
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def answer(call):
    try:
        return {"result": METHODS[call["method"]](*call["params"])}
    except Fault as fault:
        return {"error": fault.error}
    except BaseException:
        # callers learn nothing of it, the log does
        traceback.print_exc()
        return {"error": {"code": -32603, "message": "internal error"}}


for line in sys.stdin:
    call = json.loads(line)
    print(json.dumps({"jsonrpc": "2.0", "id": call["id"], **answer(call)}), file=answers)
