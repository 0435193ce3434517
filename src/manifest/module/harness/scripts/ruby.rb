# The stand-in for the servers of Ruby's xmlrpc gem: programs that use them run as they are. Stands before the harness.

# What the gem has for programs, as far as they need it where rpcgi reads and writes the documents.
module XMLRPC
  # A fault for the caller.
  class FaultException < StandardError
    attr_reader :faultCode, :faultString # rubocop:disable Naming/MethodName -- the gem's names

    def initialize(code, string)
      @faultCode = code # rubocop:disable Naming/VariableName
      @faultString = string # rubocop:disable Naming/VariableName
      super(string)
    end

    def to_h
      { 'faultCode' => faultCode, 'faultString' => faultString }
    end
  end

  # A date and time without a zone, as functions get it.
  class DateTime
    attr_accessor :year, :month, :day, :hour, :min, :sec

    alias mon month
    alias mon= month=

    def initialize(year, month, day, hour, min, sec)
      @year, @month, @day, @hour, @min, @sec = year, month, day, hour, min, sec
    end

    def to_a
      [year, month, day, hour, min, sec]
    end

    def to_time
      Time.gm(*to_a)
    end

    def to_date
      require 'date'
      Date.new(year, month, day)
    end

    def ==(other)
      to_a == Array(other)
    rescue StandardError
      false
    end

    def rpcgi_wire
      { '$date' => format('%04d-%02d-%02dT%02d:%02d:%02d', *to_a) }
    end
  end

  # Octets, where a function returns them as such.
  class Base64
    include Comparable

    attr_reader :decoded

    def self.decode(text)
      text.unpack1('m')
    end

    def self.encode(octets)
      [octets].pack('m')
    end

    def initialize(octets, state = :dec)
      @decoded = state == :enc ? Base64.decode(octets) : octets
    end

    def encoded
      Base64.encode(decoded)
    end

    def <=>(other)
      decoded <=> other.decoded if Base64 === other
    end

    def rpcgi_wire
      { '$bytes' => [decoded].pack('m0') }
    end
  end

  # An object that goes as a struct: its class, and its variables but for those without a value.
  module Marshallable
    def to_h
      names = instance_variables.reject { |name| instance_variable_get(name).nil? }
      members = names.map { |name| [name.to_s.delete_prefix('@'), instance_variable_get(name)] }
      [['___class___', self.class.name], *members].to_h
    end
  end

  # Names of an object's methods under a prefix.
  module Service
    # Those that a block declares by signatures such as `int add(int, int)`.
    class Interface
      FORM = /\A\s*([\w.]+)\s+([^\s(]+)\s*(?:\(([^)]*)\))?\s*\z/.freeze

      def initialize(prefix, &block)
        @prefix = prefix
        @methods = []
        instance_eval(&block)
      end

      def add_method(signatures, help = nil, method = nil)
        parsed = Array(signatures).map { |signature| FORM.match(signature) or raise 'Syntax error in signature' }
        name = parsed.first[2]
        types = parsed.map { |match| [match[1], *match[3].to_s.split(',').map(&:strip)] }
        @methods << [name, method || name, types, help]
      end
      alias meth add_method

      def get_methods(object, delimiter = '.') # rubocop:disable Naming/AccessorMethodName -- the gem's name
        @methods.map do |name, method, signature, help|
          [@prefix + delimiter + name.to_s, object.method(method), signature, help]
        end
      end
    end

    # All public ones of its class.
    class PublicInstanceMethodsInterface
      def initialize(prefix)
        @prefix = prefix
      end

      def get_methods(object, delimiter = '.') # rubocop:disable Naming/AccessorMethodName
        object.class.public_instance_methods(false).map do |name|
          [@prefix + delimiter + name.to_s, object.method(name), nil, nil]
        end
      end
    end
  end

  def self.interface(prefix, &block)
    Service::Interface.new(prefix, &block)
  end

  def self.iPIMethods(prefix) # rubocop:disable Naming/MethodName
    Service::PublicInstanceMethodsInterface.new(prefix)
  end

  class << self
    alias iPublicMethods iPIMethods
  end

  # Knows what a program has registered.
  class BasicServer
    attr_reader :rpcgi_handlers

    def initialize(delimiter = '.', *)
      @delimiter = String === delimiter ? delimiter : '.'
      @rpcgi_handlers = []
    end

    def add_handler(prefix, object = nil, help = nil, &block)
      if block
        @rpcgi_handlers << [prefix, block, object, help]
      elsif String === prefix
        raise ArgumentError, 'Expected non-nil value' if object.nil?

        is_function = Proc === object || Method === object
        @rpcgi_handlers << [prefix, object, nil, help] if is_function
        @rpcgi_handlers.concat(methods_of(object, prefix + @delimiter)) unless is_function
      else
        @rpcgi_handlers.concat(prefix.get_methods(object, @delimiter))
      end
      self
    end

    def set_default_handler(&block)
      @default_handler = block
      self
    end

    def get_default_handler # rubocop:disable Naming/AccessorMethodName
      @default_handler
    end

    def set_service_hook(&block)
      @service_hook = block
      self
    end

    def get_service_hook # rubocop:disable Naming/AccessorMethodName
      @service_hook
    end

    # What rpcgi does by itself.
    %i[add_introspection add_multicall set_parser set_writer].each { |name| define_method(name) { |*| self } }

    def serve
      RpcgiScript.serve(self)
    end

    # Calls what a name stands for.
    def rpcgi_call(name, args)
      found = @rpcgi_handlers.select { |known, *| known == name }.map { |_, function| function }
      function = found.find { |each| takes?(each, args.size) }
      return @service_hook ? @service_hook.call(function, *args) : function.call(*args) if function
      return @default_handler.call(name, *args) if @default_handler
      raise RpcgiHarness::Unknown, name if found.empty?

      raise FaultException.new(-32_602, "wrong number of params: #{args.size}")
    end

    private

    # Whether a function takes so many arguments. A block takes any number, but is not called with another one.
    def takes?(function, count)
      arity = function.arity
      arity >= 0 ? count == arity : count >= -arity - 1
    end

    # The public methods of an object, those of Ruby itself apart.
    def methods_of(object, prefix)
      (object.public_methods - Object.public_instance_methods).map do |name|
        [prefix + name.to_s, object.method(name), nil, nil]
      end
    end
  end

  # For a CGI program; there is one of it.
  class CGIServer < BasicServer
    def self.new(*)
      @only ||= super
    end
  end

  # For a program that listens by itself.
  class Server < BasicServer
    def initialize(*)
      super()
    end

    def set_valid_ip(*) # rubocop:disable Naming/AccessorMethodName
      RpcgiScript.give_up('`set_valid_ip` says who may call, and rpcgi does not ask it: let the web server do that, ' \
                          'then take it out')
    end

    def shutdown; end
  end

  # For mod_ruby.
  class ModRubyServer < BasicServer
  end

  # For a server of the program's own.
  class WEBrickServlet < BasicServer
    def initialize(*)
      RpcgiScript.give_up('a WEBrick server listens by itself, and rpcgi does that: XMLRPC::CGIServer in its place')
    end
  end
end

# Runs a program.
module RpcgiScript
  extend self

  FEATURES = %w[server utils datetime base64 config parser create marshal].freeze
  TYPES = {
    'int' => 'int', 'i4' => 'int', 'i8' => 'integer', 'boolean' => 'boolean', 'double' => 'double',
    'string' => 'string', 'base64' => 'base64', 'dateTime.iso8601' => 'dateTime.iso8601', 'struct' => 'struct',
    'array' => 'array', 'nil' => 'nil'
  }.freeze

  # Runs the file as the program that it is, up to its end.
  def run(harness, file)
    @harness = harness
    ENV['REQUEST_METHOD'] = 'POST'
    ENV['GATEWAY_INTERFACE'] = 'CGI/1.1'
    $PROGRAM_NAME = file
    $LOADED_FEATURES.concat(FEATURES.map { |name| "xmlrpc/#{name}.rb" })
    Kernel.load(file)
    @server or give_up('the script has ended without serving: it never called `serve`. If it answers requests by ' \
                       'itself, as = "module" takes its functions')
  rescue Exception => thrown # rubocop:disable Lint/RescueException -- `exit` is an exception too
    @server ? Kernel.raise : harness.broken(thrown)
  end

  # Answers calls by a server of the program's, until there are no more.
  def serve(server)
    Process.exit(0) if @server

    refuse_guards(server)
    @server = server
    @harness.converse
  end

  # Ends with a sentence on what cannot be done.
  def give_up(sentence)
    @harness.write('broken' => sentence)
    Process.exit!(1)
  end

  # Calls what a name stands for.
  def call(name, args)
    @server.rpcgi_call(name, args)
  end

  # Returns what the program says of its service.
  def about
    { 'any' => !@server.get_default_handler.nil? }
  end

  # Returns the descriptions of what it serves, in the order in which it has been registered.
  def functions
    @server.rpcgi_handlers.map { |name, function, signature, help| told(name, function, signature, help) }
           .uniq { |told| told['name'] }
  end

  private

  # The gem's methods through which a request goes on its way to a function, where it may be turned away.
  GUARDING = %i[process dispatch call_method handle check_arity].freeze

  # Refuses a server with methods of the program's own that may decide who calls: none is left out silently.
  def refuse_guards(server)
    own = server.singleton_class.ancestors.take_while { |each| !each.name.to_s.start_with?('XMLRPC::') }
    names = own.flat_map { |place| place.instance_methods(false) + place.private_instance_methods(false) }
    name = (GUARDING & names).first
    return unless name

    give_up("the server has a `#{name}` of its own, which rpcgi does not run. If it decides who may call, let the web " \
            'server do that; then take it out')
  end

  # Returns the description of a handler.
  def told(name, function, signature, help)
    told = @harness.told(name, function)
    signatures = Array(signature).any?(Array) ? signature : [Array(signature)]
    returns, *types = signatures.size == 1 ? signatures.first : []
    told['params'].each_with_index do |param, index|
      param['optional'] = index >= required(function) unless param['kind']
      param['type'] = TYPES[types[index]] if TYPES[types[index]]
    end
    told['returns'] = TYPES[returns] if TYPES[returns]
    told['doc'] = help if help
    told.merge('listed' => true)
  end

  # Returns how many arguments a function has to get.
  def required(function)
    function.arity >= 0 ? function.arity : -function.arity - 1
  end
end
