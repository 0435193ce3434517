<?php
$call = {{call}};
$http = ['method' => 'POST', 'content' => json_encode($call)];
$http['header'][] = 'Content-Type: application/json';
{{bearer}}$http['header'][] = 'Authorization: Bearer ' . getenv('TOKEN');
{{basic}}$http['header'][] = 'Authorization: Basic ' . base64_encode(getenv('LOGIN'));
$context = stream_context_create(['http' => $http]);
$answer = file_get_contents({{url}}, false, $context);
print_r(json_decode($answer));
