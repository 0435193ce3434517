<?php
$methods = ["php.add" => fn($a, $b) => $a + $b, "php.greet" => fn($name) => "Hello, $name!"];
ini_set("display_errors", "stderr");
while (($line = fgets(STDIN)) !== false) {
    $call = json_decode($line, true);
    $answer = ["jsonrpc" => "2.0", "id" => $call["id"]];
    ob_start(); // a stray echo goes to the log
    try {
        $result = $methods[$call["method"]](...$call["params"]);
        $answer = json_encode($answer + ["result" => $result], JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION);
    } catch (Throwable $error) {
        fwrite(STDERR, "$error\n");
        $answer = json_encode($answer + ["error" => ["code" => -32603, "message" => "internal error"]]);
    }
    while (ob_get_level() > 0) {
        fwrite(STDERR, ob_get_clean());
    }
    fwrite(STDOUT, "$answer\n");
}
