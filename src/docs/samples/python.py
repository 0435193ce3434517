import xmlrpc.client

server = xmlrpc.client.ServerProxy({{url}}, allow_none=True)
print({{call}})
