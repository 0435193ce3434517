curl {{url}} -H 'Content-Type: text/xml' \
  -d {{call}}
