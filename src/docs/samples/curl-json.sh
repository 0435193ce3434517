curl {{url}} -H 'Content-Type: application/json' \
  -d {{call}}
