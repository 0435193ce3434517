curl {{url}} \
  -H 'Content-Type: text/xml' \
{{bearer}}  -H "Authorization: Bearer $TOKEN" \
{{basic}}  -u "$LOGIN" \
  -d {{call}}
