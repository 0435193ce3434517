import json, sys

methods = {"python.add": lambda a, b: a + b, "python.greet": lambda name: f"Hello, {name}!"}
for line in sys.stdin:
    call = json.loads(line)
    try:
        answer = {"result": methods[call["method"]](*call["params"])}
    except Exception as error:
        answer = {"error": {"code": 1, "message": str(error)}}
    print(json.dumps({"jsonrpc": "2.0", "id": call["id"], **answer}), flush=True)
