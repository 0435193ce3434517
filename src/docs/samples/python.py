{{basic}}import base64
{{auth}}import os
import xmlrpc.client

{{basic}}login = base64.b64encode(os.environ["LOGIN"].encode()).decode()
server = xmlrpc.client.ServerProxy(
    {{url}},
{{bearer}}    headers=[("Authorization", "Bearer " + os.environ["TOKEN"])],
{{basic}}    headers=[("Authorization", "Basic " + login)],
    allow_none=True,
)
print({{call}})
