<?php
$methods = ["php.add" => fn($a, $b) => $a + $b, "php.greet" => fn($name) => "Hello, $name!"];
while (($line = fgets(STDIN)) !== false) {
    $call = json_decode($line, true);
    try {
        $answer = ["result" => $methods[$call["method"]](...$call["params"])];
    } catch (Throwable $error) {
        $answer = ["error" => ["code" => 1, "message" => $error->getMessage()]];
    }
    echo json_encode(["jsonrpc" => "2.0", "id" => $call["id"]] + $answer), "\n";
}
