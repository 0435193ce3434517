#!/usr/bin/env ruby
# A rental of bikes, as people have it in their cgi-bin: the xmlrpc gem's server for CGI.

require 'xmlrpc/server'

PRICES = { 'tandem' => 30, 'racer' => 25 }.freeze

# What can be had beside bikes.
class Shop
  # Greets a visitor.
  def greet(name)
    "Welcome, #{name}!"
  end

  def halves(number)
    [number / 2.0, number.to_s]
  end

  private

  def secret
    'hidden'
  end
end

# A bike as it goes over the wire.
class Bike
  include XMLRPC::Marshallable

  def initialize(kind)
    @kind = kind
    @owner = nil
  end
end

server = XMLRPC::CGIServer.new

server.add_handler('price', %w[int string int], 'Tells what a bike costs.') do |kind, days|
  raise XMLRPC::FaultException.new(404, "there is no bike #{kind}") unless PRICES.key?(kind)

  PRICES[kind] * days
end

server.add_handler('kinds') { PRICES.keys.sort }
server.add_handler('when') { |day| [day.class.name, day.year, day.to_time.utc.iso8601, day] }
server.add_handler('octets') { |data| [data.encoding.name, XMLRPC::Base64.new(data)] }
server.add_handler('bike') { |kind| Bike.new(kind) }
server.add_handler('crash') { raise 'under the stairs' }
server.add_handler('shop', Shop.new)
server.add_handler(XMLRPC.iPIMethods('desk'), Shop.new)
server.add_introspection
server.add_multicall
server.set_service_hook do |function, *args|
  puts 'a call'
  function.call(*args)
end
require 'time'

server.serve
puts 'the script ends as it always did'
