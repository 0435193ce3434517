rpcgi call {{login}}{{url}} \
  {{call}}
