# The harness of Ruby modules: loads one, tells what is public in it, and calls it. README.md has the conversation.
#
# Runs by `ruby -e`, for Ruby 2.7 and later. What a module defines at its top level becomes a method of every object,
# and may have the name of one of Ruby's own (`def raise`, `def hash`): so the code below calls what is defined in
# here, or names the receiver.
module RpcgiHarness
  extend self

  DEEPEST = 200
  # Far more than a caller can use: an enumerator may have no end.
  LONGEST = 1_000_000
  INTERNAL_ERROR = -32_603
  INT = (-2**31...2**31).freeze
  LONG = (-2**63...2**63).freeze
  UTF_8 = Encoding::UTF_8
  MAIN = TOPLEVEL_BINDING.receiver
  # Taken from Kernel, because a class may have a method `method` of its own.
  METHOD = Kernel.instance_method(:method)
  PUBLIC_METHODS = Kernel.instance_method(:public_methods)
  FOREIGN = %r{/(?:vendor|node_modules|\.bundle)/}.freeze

  # Says that a result cannot be written.
  class Refused < StandardError
  end

  # Says that a script serves no such name.
  class Unknown < StandardError
  end

  # Holds the whole conversation.
  def run
    open_socket
    # Without RubyGems' `require`, which would fix the version that a Gemfile may want to choose.
    Kernel.require 'json'
    setup = next_document or return
    prepare(setup)
    # Its text stands before this one where the file is a script.
    return RpcgiScript.run(self, @file) if @script

    begin
      load_module(setup)
    rescue Exception => thrown # rubocop:disable Lint/RescueException -- `exit` is an exception too
      broken(thrown)
    end
    converse
  end

  # Tells of the module, if that is wanted, and answers calls until there are no more.
  def converse
    begin
      described = { 'described' => description } if @describe
    rescue Exception => thrown # rubocop:disable Lint/RescueException
      broken(thrown)
    end
    write(described) if described
    serve
  end

  # Ends with the account of why there is no module.
  def broken(thrown)
    forked? && Kernel.raise(thrown)
    write('broken' => account(thrown))
    Process.exit!(1)
  end

  # Moves the socket to descriptors of its own, which what the module starts does not inherit.
  def open_socket
    @process = Process.pid
    @input = IO.for_fd(0, 'rb', autoclose: false).dup
    @output = IO.for_fd(0, 'wb', autoclose: false).dup
    @output.sync = true
    STDIN.reopen(File::NULL)
    # So that the log has what a function prints before it is stopped.
    STDOUT.sync = true
  end

  # Keeps what is asked for, and sets what the module may expect.
  def prepare(setup)
    @file = File.realpath(setup['file']) rescue setup['file']
    @folder = "#{File.dirname(@file).chomp('/')}/"
    @context = setup['context']
    @describe = setup['describe']
    @script = setup['as'] == 'script'
    $LOAD_PATH.unshift(@folder.chomp('/'))
    # Web servers set no locale. Files are read as the author's terminal does it.
    Encoding.default_external = UTF_8 if Encoding.default_external == Encoding::US_ASCII
  end

  # Loads the file, and finds the object that is meant.
  def load_module(setup)
    # `require`, so that a file beside it which requires this one does not load it again.
    @file.end_with?('.rb') ? Kernel.require(@file) : Kernel.load(@file)
    @object = named_object(setup['object']) if setup['object']
  end

  # Answers calls until there are no more.
  def serve
    while (call = next_document)
      answer(call['id'], outcome(call))
    end
  end

  # ------------------------------------------------------------------------------------------------------- lines

  # Returns the next line as a document, or nil at the end.
  def next_document
    line = @input.gets("\n") or return
    document = JSON.parse(line.force_encoding(UTF_8), max_nesting: 0)
    # Most texts have no tags, and need no walk. The names in `named` are never tags.
    if line.include?('{"$')
      document['args'] = from_wire(document['args'])
      document['named']&.transform_values! { |value| from_wire(value) }
    end
    document
  end

  # Writes what came of a call.
  def answer(id, outcome)
    write({ 'id' => id }.merge(outcome))
  rescue SystemCallError
    Process.exit!(1)
  rescue Exception => thrown # rubocop:disable Lint/RescueException -- the result may be too large for the memory
    write('id' => id, 'error' => account(thrown))
  end

  # Writes a document on a line of its own.
  def write(document)
    Process.exit!(0) if forked?
    @output.write(JSON.generate(document, max_nesting: 0), "\n")
  end

  # Whether the module has made this process: it has no part in the conversation, and ends.
  def forked?
    Process.pid != @process
  end

  # ------------------------------------------------------------------------------------------------------- calls

  # Calls a function, and returns the members of the answer that tell what came of it.
  def outcome(call)
    return { 'result' => to_wire(RpcgiScript.call(call['call'], call['args'])) } if @script

    method = method_named(call['call'])
    named = (call['named'] || {}).transform_keys(&:to_sym)
    args = call['args']
    add_context(method, call['context'], args, named) if call['context']
    { 'result' => to_wire(named.empty? ? method.call(*args) : method.call(*args, **named)) }
  rescue Refused => refused
    { 'fault' => [INTERNAL_ERROR, refused.message] }
  rescue Unknown
    { 'unknown' => true }
  rescue Exception => thrown # rubocop:disable Lint/RescueException -- `exit`, `abort`, and recursion without an end
    forked? && Kernel.raise
    (fault = fault_of(thrown)) ? { 'fault' => fault } : { 'error' => account(thrown) }
  end

  # Returns the method of a name that was told, and no other: not every method of Ruby is public.
  def method_named(name)
    @functions = functions unless @functions && @functions[name]
    @functions[name] || Kernel.raise(NoMethodError, "the module has no function #{name}")
  end

  # Adds the context to the arguments of a call.
  def add_context(method, context, args, named)
    value = context_object(context['value'])
    index = context['index']
    if index.nil?
      named[context['name'].to_sym] = value
    elsif index > args.size && method.parameters[index] && method.parameters[index][0] == :opt
      args.fill(nil, args.size...index) << value
    else
      # Ruby itself gives the last arguments to the params that must be there.
      args.insert([index, args.size].min, value)
    end
  end

  # The context can be read as `request.user` and as `request["user"]`.
  def context_object(members)
    return members if members.empty?

    @contexts ||= Hash.new { |known, names| known[names] = Struct.new(*names.map(&:to_sym)) }
    @contexts[members.keys].new(*members.values)
  end

  # An exception is for the caller if its class is of the module's folder and has a code. Libraries' exceptions have
  # codes too, but their texts tell of paths and queries.
  def fault_of(thrown)
    if defined?(::XMLRPC::FaultException) && ::XMLRPC::FaultException === thrown
      return [thrown.faultCode, text(thrown.faultString)]
    end
    return unless own_class?(thrown.class) && thrown.respond_to?(:code)

    code = thrown.code
    [code, text(thrown.message)] if Integer === code && INT.cover?(code)
  rescue Exception # rubocop:disable Lint/RescueException -- its text may raise what it likes
    nil
  end

  # Returns all that is known of an exception, for the log.
  def account(thrown)
    text(thrown.full_message(highlight: false, order: :top))
  rescue Exception # rubocop:disable Lint/RescueException
    "#{thrown.class}, which has no text\n\t#{Array(thrown.backtrace).first(50).join("\n\t")}"
  end

  # Whether a class is of the module's folder.
  def own_class?(klass)
    file, = klass.name ? Object.const_source_location(klass.name) : klass.instance_method(:code).source_location
    own?(file)
  rescue NameError
    false
  end

  # Whether a file is the module or one below its folder, and not of a library that was installed there.
  def own?(file)
    !file.nil? && file.start_with?(@folder) && !file[@folder.size - 1..-1].match?(FOREIGN)
  end

  # ------------------------------------------------------------------------------------------------------ values

  # Returns a value with its tags resolved. From the inside outwards: what a tag has become is not looked at again.
  def from_wire(value)
    case value
    when Array then value.map { |item| from_wire(item) }
    when Hash
      value.transform_values! { |item| from_wire(item) }
      value.size == 1 && value.first[0].start_with?('$') ? untagged(*value.first) : value
    else value
    end
  end

  # Returns what a tag stands for.
  def untagged(tag, value)
    case tag
    when '$date' then time(value)
    when '$day' then day(value)
    when '$bytes' then value.unpack1('m')
    when '$int' then value.to_i
    else { tag[1..-1] => value }
    end
  end

  # A time without a zone is one of the local zone.
  def time(text)
    year, month, day, hour, minute, second = text.match(/\A(-?\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)/).captures
    return XMLRPC::DateTime.new(*[year, month, day, hour, minute, second].map(&:to_i)) if @script

    Time.local(year.to_i, month.to_i, day.to_i, hour.to_i, minute.to_i, second.to_r)
  end

  # Returns a date without a time.
  def day(text)
    Kernel.require 'date'
    Date.new(*text.match(/\A(-?\d+)-(\d+)-(\d+)/).captures.map(&:to_i))
  end

  # Returns a value that JSON.generate writes as rpcgi reads it.
  def to_wire(value, depth = 0)
    case value
    when Integer then LONG.cover?(value) ? value : unwritable('an integer of more than 64 bits')
    when String then string_to_wire(value)
    when nil, true, false then value
    when Float then value.finite? ? value : unwritable(value.to_s.sub('I', 'i'))
    when Symbol then string_to_wire(value.to_s)
    when Array then list_to_wire(value, depth + 1)
    when Hash then members_to_wire(value, depth + 1)
    when Time then { '$date' => date_to_wire(value) }
    else object_to_wire(value, depth + 1)
    end
  end

  # Refuses a result.
  def unwritable(what)
    Kernel.raise Refused, "the result cannot be written: #{what}"
  end

  # Refuses what is nested too deep.
  def bounded(depth)
    unwritable("it contains itself, or is nested deeper than #{DEEPEST}") if depth > DEEPEST
  end

  # Returns items as they are written.
  def list_to_wire(list, depth)
    bounded(depth)
    list.map { |item| to_wire(item, depth) }
  end

  # Returns members as they are written.
  def members_to_wire(members, depth)
    bounded(depth)
    written = {}
    members.each_pair { |key, item| written[key_to_wire(key)] = to_wire(item, depth) }
    # What has the form of a tag gets one `$` more.
    return written unless written.size == 1 && written.first[0].start_with?('$')

    { "$#{written.first[0]}" => written.first[1] }
  end

  # Returns the name of a member as text.
  def key_to_wire(key)
    key = key.to_s
    utf8(key) || (key.ascii_only? ? key.encode(UTF_8) : unwritable('a key that is no UTF-8'))
  end

  # Returns what is neither text nor a number, list or hash as it is written.
  def object_to_wire(value, depth)
    bounded(depth)
    case value
    when Numeric then number_to_wire(value)
    when Proc, Method, UnboundMethod then unwritable('a function')
    when IO, Module, Thread, Dir then unwritable(naming(value))
    when Struct then members_to_wire(value, depth)
    when Enumerable then list_to_wire(collected(value), depth)
    else
      return { '$date' => date_to_wire(value) } if defined?(::Date) && ::Date === value
      return value.to_s if defined?(::Pathname) && ::Pathname === value
      return value.to_s if defined?(::URI::Generic) && ::URI::Generic === value

      plain_to_wire(value, depth)
    end
  end

  # Writes what says of itself that it is a hash, as Data, OpenStruct and many other objects do.
  def plain_to_wire(value, depth)
    return value.rpcgi_wire if @script && value.respond_to?(:rpcgi_wire)

    plain = value.to_h if value.respond_to?(:to_h)
    Hash === plain ? members_to_wire(plain, depth) : unwritable(naming(value))
  rescue NoMethodError
    # A BasicObject has no methods at all.
    BasicObject === value && !(Object === value) ? unwritable('a BasicObject') : Kernel.raise
  end

  # Neither a fraction nor a decimal has a type on the wire: both go as text, so that no digit is lost.
  def number_to_wire(number)
    defined?(::BigDecimal) && ::BigDecimal === number ? number.to_s('F') : number.to_s
  end

  # Returns the class of a value for people, with an article.
  def naming(value)
    name = value.class.to_s
    "#{name.match?(/\A[AEIOU]/) ? 'an' : 'a'} #{name}"
  end

  # Returns what an enumerator yields.
  def collected(source)
    list = []
    source.each_entry do |item|
      unwritable("more than #{LONGEST} items") if list.size == LONGEST
      list << item
    end
    list
  end

  # A date has no zone on the wire: it is what its own clock shows.
  def date_to_wire(date)
    date.strftime('%Y-%m-%dT%H:%M:%S.%6N').sub(/\.?0+\z/, '')
  end

  # Returns a string as text, or as octets.
  def string_to_wire(string)
    utf8(string) || { '$bytes' => [string].pack('m0') }
  end

  # Returns a string as UTF-8, or nil if it is octets: what has come in as octets goes out as octets.
  def utf8(string)
    case string.encoding
    when UTF_8 then string if string.valid_encoding?
    when Encoding::BINARY then nil
    when Encoding::US_ASCII then utf8(string.dup.force_encoding(UTF_8))
    else string.encode(UTF_8)
    end
  rescue EncodingError
    nil
  end

  # Returns a text for people, whatever there is in it.
  def text(string)
    string = string.to_s
    utf8(string) || string.dup.force_encoding(UTF_8).scrub
  end

  # ------------------------------------------------------------------------------------------------- description

  # Returns what README.md calls a description.
  def description
    return described.merge('functions' => RpcgiScript.functions, 'script' => RpcgiScript.about) if @script

    apart = @object.nil? ? private_names : []
    told = functions.reject { |name, _| apart.include?(name) }.map { |name, method| told(name, method) }
    described.merge('functions' => told)
  end

  # Returns what is described of every module.
  def described
    {
      'files' => [@file, *$LOADED_FEATURES].select { |file| own?(file) }.uniq,
      'version' => RUBY_VERSION,
      'codes' => codes
    }
  end

  # Returns the object that is meant: what a constant or a global variable holds, or an object of a class.
  def named_object(name)
    if name.match?(/\A[A-Z]/)
      found = Object.const_get(name)
      return Class === found ? instance(found) : found
    end
    variable = "$#{name.delete_prefix('$')}"
    return TOPLEVEL_BINDING.eval(variable) if Kernel.global_variables.include?(variable.to_sym)

    Kernel.raise NameError, "the module has no constant, class or global variable #{name}"
  end

  # Returns an object of a class, made without arguments.
  def instance(klass)
    if klass.instance_method(:initialize).parameters.any? { |kind, _| %i[req keyreq].include?(kind) }
      Kernel.raise ArgumentError, "class #{klass} cannot be the module's object: its constructor wants arguments"
    end
    klass.new
  end

  # Returns the public methods by name, in the order of the source.
  def functions
    found = @object.nil? ? functions_of_file : methods_of(@object)
    found.sort_by { |_, method| place(method) }.to_h
  end

  # Returns what methods are sorted by: those of the module stand before those of other files.
  def place(method)
    file, line = method.source_location
    [file == @file ? 0 : 1, file, line]
  end

  # Returns what the file defines at its top level, or else the functions of the one module in it.
  def functions_of_file
    names = Object.private_instance_methods(false) | Object.public_instance_methods(false) | MAIN.singleton_methods
    found = selected(MAIN, names) { |method| method.source_location&.first == @file }
    return found unless found.empty?

    modules = Object.constants.reject { |name| Object.autoload?(name) }
                    .select { |name| Object.const_source_location(name)&.first == @file }
                    .map { |name| Object.const_get(name) }
                    .select { |found| Module === found && !(Class === found) }
                    .map { |found| methods_of(found) }.reject(&:empty?)
    modules.size == 1 ? modules.first : {}
  end

  # Those that Ruby calls by itself are not meant.
  def methods_of(object)
    selected(object, PUBLIC_METHODS.bind_call(object) - %i[to_s inspect respond_to? method_missing]) do |method|
      method.owner != Object && own?(method.source_location&.first) && !attribute?(method)
    end
  end

  # Returns the methods of an object that have one of the names and pass the block, by name.
  def selected(receiver, names)
    names.grep_v(/\A_/).map { |name| [name.to_s, METHOD.bind_call(receiver, name)] }
         .select { |_, method| yield method }.to_h
  end

  # Whether a method is one that `attr_accessor` or the like has made: those have no code.
  def attribute?(method)
    defined?(RubyVM::InstructionSequence) && RubyVM::InstructionSequence.of(method).nil?
  end

  # At the top level every method is private already: only the text tells which ones are meant to be.
  def private_names
    names = []
    all = false
    File.binread(@file).each_line do |line|
      case line
      when /\A__END__$/ then break
      when /\A(private|public)\s*(?:#.*)?$/ then all = $1 == 'private'
      when /\Aprivate[\s(]+def\s+(?:self\.)?(\w+[?!]?)/ then names << $1
      when /\Aprivate[\s(]+[:%\["'](.*)/ then names.concat($1.scan(/\w+[?!]?/))
      when /\Adef\s+(\w+[?!]?)/ then names << $1 if all
      end
    end
    names
  end

  # Returns the description of a method.
  def told(name, method)
    told = { 'name' => name, 'params' => [] }
    file, line = method.source_location
    told['line'] = line if file == @file
    method.parameters.each_with_index do |(kind, param), index|
      if @context && param == @context.to_sym
        told['context'] = { 'name' => @context }
        told['context']['index'] = index unless kind.start_with?('key')
      elsif (param = param_told(kind, param, index + 1))
        told['params'] << param
      end
    end
    told
  end

  # Returns nil for a block, which a caller cannot give.
  def param_told(kind, name, number)
    name = nil unless name.to_s.match?(/\A\w/)
    case kind
    when :req, :opt then { 'name' => name || "arg#{number}", 'optional' => kind == :opt }
    when :keyreq, :key then { 'name' => name, 'optional' => kind == :key, 'kind' => 'keyword' }
    when :rest then { 'name' => name || 'args', 'kind' => 'rest' }
    when :keyrest then { 'name' => name || 'options', 'kind' => 'options' }
    end
  end

  # Returns the codes of the module's exceptions that have the same one always.
  def codes
    found = {}
    ObjectSpace.each_object(Class) do |klass|
      next unless klass < Exception && klass.name && klass.method_defined?(:code) && own_class?(klass)

      code = constant_code(klass)
      found[klass.name.split('::').last] = code if Integer === code && INT.cover?(code)
    end
    found
  end

  # Returns the code of an exception that nothing is known of.
  def constant_code(klass)
    klass.allocate.code
  rescue Exception # rubocop:disable Lint/RescueException -- it may raise what it likes
    nil
  end
end

RpcgiHarness.run
