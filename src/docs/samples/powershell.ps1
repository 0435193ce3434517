$call = {{call}}
Invoke-RestMethod {{url}} -Method Post -ContentType 'application/json' -Body $call
