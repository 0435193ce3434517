rpcgi call {{url}} {{call}}
