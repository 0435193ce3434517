<?php
// Sums, as phpxmlrpc serves them with PHP's own values.

use PhpXmlRpc\Response;
use PhpXmlRpc\Server;
use PhpXmlRpc\Value;

/** Adds two numbers. */
function add($first, $second)
{
    return $first + $second;
}

function half($number)
{
    if ($number % 2) {
        return new Response(0, 801, "$number is odd");
    }
    return new Response($number / 2);
}

$server = new Server([
    'sums.add' => [
        'function' => 'add',
        'signature' => [[Value::$xmlrpcInt, Value::$xmlrpcInt, Value::$xmlrpcInt]],
        'docstring' => 'Adds two numbers.',
    ],
    'sums.half' => ['function' => 'half'],
    'back' => ['function' => fn ($value) => $value],
    'octets' => ['function' => fn ($text) => new Value($text, 'base64')],
], false);
$server->functions_parameters_type = 'phpvals';
$server->setDebug(0);
$server->service();
