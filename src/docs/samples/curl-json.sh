curl {{url}} \
  -H 'Content-Type: application/json' \
{{bearer}}  -H "Authorization: Bearer $TOKEN" \
{{basic}}  -u "$LOGIN" \
  -d {{call}}
