$call = {{call}}
Invoke-RestMethod {{url}} -Method Post -ContentType 'application/json; charset=utf-8' -Body $call
