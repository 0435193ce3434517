require 'json'
require 'net/http'

call = {{call}}
answer = Net::HTTP.post(URI({{url}}), call.to_json, 'Content-Type' => 'application/json')
puts JSON.pretty_generate(JSON.parse(answer.body))
