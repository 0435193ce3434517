$call = {{call}}
{{bearer}}$headers = @{ Authorization = "Bearer $env:TOKEN" }
{{basic}}$login = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($env:LOGIN))
{{basic}}$headers = @{ Authorization = "Basic $login" }
Invoke-RestMethod {{url}} -Method Post `
{{auth}}  -Headers $headers `
  -ContentType 'application/json; charset=utf-8' -Body $call
