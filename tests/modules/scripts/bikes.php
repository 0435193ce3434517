<?php
// A rental of bikes, as people have it on their web space: PHP's xmlrpc extension.

$prices = ['tandem' => 30, 'racer' => 25];

function price($method, $params, $shop)
{
    global $prices;
    [$kind, $days] = $params + [1 => 1];
    if (!isset($prices[$kind])) {
        return ['faultCode' => 404, 'faultString' => "there is no bike $kind in $shop"];
    }
    return $prices[$kind] * $days;
}

function when($method, $params)
{
    $day = $params[0];
    return [xmlrpc_get_type($day), $day->scalar, $day->timestamp > 0, $day];
}

function octets($method, $params)
{
    $data = strrev($params[0]->scalar);
    xmlrpc_set_type($data, 'base64');
    return ['kind' => xmlrpc_get_type($params[0]), 'data' => $data];
}

class Desk
{
    public function who()
    {
        return 'Ann';
    }
}

$server = xmlrpc_server_create();
xmlrpc_server_register_method($server, 'price', 'price');
xmlrpc_server_register_method($server, 'bikes.when', 'when');
xmlrpc_server_register_method($server, 'octets', 'octets');
xmlrpc_server_register_method($server, 'desk.who', [new Desk(), 'who']);
xmlrpc_server_register_method($server, 'crash', function () {
    throw new RuntimeException('under the stairs');
});

$request = file_get_contents('php://input');
$response = xmlrpc_server_call_method($server, $request, 'the shop');
header('Content-Type: text/xml');
print $response;
xmlrpc_server_destroy($server);
