<?php
$call = {{call}};
$http = ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => json_encode($call)];
$answer = file_get_contents({{url}}, false, stream_context_create(['http' => $http]));
print_r(json_decode($answer));
