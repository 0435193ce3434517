require 'json'
require 'net/http'

call = {{call}}
headers = { 'Content-Type' => 'application/json' }
{{bearer}}headers['Authorization'] = "Bearer #{ENV['TOKEN']}"
{{basic}}headers['Authorization'] = "Basic #{[ENV['LOGIN']].pack('m0')}"
answer = Net::HTTP.post(URI({{url}}), call.to_json, headers)
puts JSON.pretty_generate(JSON.parse(answer.body))
