# The harness of Perl modules: loads one, tells what is public in it, and calls it. README.md has the conversation.
#
# Runs by `perl -e`, for Perl 5.10 and later. It starts in 3 ms, where JSON::PP alone takes 9: so it has a JSON of its
# own, loads modules when a value needs them, and keeps what most calls do not need in texts that Perl compiles when
# one of their subs is called first.
package Rpcgi::Harness;
use strict;
# The same as `no warnings`, which takes 2 ms to load.
BEGIN { ${^WARNING_BITS} = '' }

my $DEEPEST = 200;
my $INTERNAL_ERROR = -32603;
my $INT_MAX = 2147483647;
my $LONG_MAX = 9223372036854775807;
my $EINTR = 4;
# Subs that Perl calls by itself.
my $SPECIAL = qr/^(?:BEGIN|UNITCHECK|CHECK|INIT|END|AUTOLOAD|DESTROY|CLONE|CLONE_SKIP|import|unimport|new)\z/;
my $FOREIGN = qr{/(?:vendor|node_modules|local/lib/perl5)/};
my %UNESCAPED = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");
my %ESCAPED = ('"' => '\"', '\\' => '\\\\', "\b" => '\b', "\f" => '\f', "\n" => '\n', "\r" => '\r', "\t" => '\t');

my $socket;
my $process = $$;
# What has no answer yet: "broken" until the module is there, then the id of a call.
my $pending = 'broken';
# The module, its folder with a slash, its package; the object whose methods are meant, if there is one.
my ($file, $folder, $package, $object);
# What was asked for first; and whether the file is a script, whose text stands before this one then.
my ($setup, $script);
# The texts that are compiled when they are needed.
my @parts;

# `exit` in a function would end the harness: it ends the function instead. A process of the module's own may end.
BEGIN {
    *CORE::GLOBAL::exit = sub (;$) {
        my $code = @_ ? $_[0] : 0;
        CORE::exit($code) if $$ != $process || !defined $pending;
        local $SIG{__DIE__};
        die "exit($code) was called\n";
    };
}

# The last word, where no eval can help: when the module has ended the process.
END {
    if ($$ == $process && defined $pending) {
        my $text = 'the program has ended by itself, or has no more memory';
        answer($pending eq 'broken' ? { broken => $text } : { id => $pending, error => $text });
    }
}

# Compiles the part that has the sub which is called, and calls it.
sub AUTOLOAD {
    my ($name) = our $AUTOLOAD =~ /(\w+)\z/;
    compile($name);
    goto &{ \&$name };
}

# Compiles the text that has a sub in it.
sub compile {
    my ($name) = @_;
    local ($@, $_, $SIG{__DIE__});
    my ($part) = grep { index($parts[$_], "\nsub $name {\n") >= 0 } 0 .. $#parts;
    die "there is no $name" unless defined $part;
    eval "$parts[$part]; 1" or die $@;
}

# Holds the whole conversation.
sub run {
    open_socket();
    my $line = next_line();
    if (!defined $line) {
        undef $pending;
        return;
    }
    $setup = parse($line);
    $script = 1 if defined $setup->{as} && $setup->{as} eq 'script';
    eval { load_module($setup); 1 } or broken($@);
    $script ? Rpcgi::Script::run($file) : converse();
}

# Tells of the module, if that is wanted, and answers calls until there are no more.
sub converse {
    my $first = $setup->{describe} ? eval { json({ described => description() }) } : '';
    broken($@) if !defined $first;
    undef $pending;
    send_line($first) if $first ne '';
    serve();
}

# Ends with the account of why there is no module.
sub broken {
    answer({ broken => account($_[0]) });
    CORE::exit(1);
}

# The socket moves up and is closed in what the module starts ($^F), and /dev/null takes its place.
sub open_socket {
    open $socket, '+<&', \*STDIN or die "descriptor 0: $!";
    binmode $socket;
    open STDIN, '<', '/dev/null' or die "/dev/null: $!";
    # So that the log has what a function prints before it is stopped.
    $| = 1;
}

# Answers calls until there are no more.
sub serve {
    while (defined(my $line = next_line())) {
        $pending = 0 + ($line =~ /^\{"id":\s*(\d+)/)[0];
        answer({ id => $pending, outcome($line) });
    }
}

# --------------------------------------------------------------------------------------------------------- lines

# Reads a line. The module may have set any of Perl's variables: those that matter here are as they are by default.
sub next_line {
    local ($/, $_) = ("\n");
    my $line = readline $socket;
    # Or Perl adds the number of the socket's line to all that dies.
    $. = 0;
    return $line;
}

# Writes a document, if this is the process that is to do so.
sub answer {
    my ($document) = @_;
    local ($@, $SIG{__DIE__});
    # A process that the module has forked has no part in this.
    if ($$ != $process) {
        print STDERR utf8($document->{error}) if defined $document->{error};
        CORE::exit(defined $document->{error} ? 255 : 0);
    }
    my $line = eval { json($document) };
    $line = json({ id => $pending, error => text($@) }) unless defined $line;
    undef $pending;
    send_line($line);
}

# Writes a line, however long it is.
sub send_line {
    my $line = "$_[0]\n";
    for (my $sent = 0; $sent < length $line;) {
        my $count = syswrite $socket, $line, length($line) - $sent, $sent;
        next if !defined $count && $! == $EINTR;
        CORE::exit(1) unless $count;
        $sent += $count;
    }
}

# --------------------------------------------------------------------------------------------------------- calls

# Returns the answer's members. A result is written at once: a value that cannot be is a fault of this call.
sub outcome {
    my ($line) = @_;
    local ($@, $_);
    my $result;
    if (!eval { $result = called(parse($line)); 1 }) {
        my $thrown = $@;
        return (unknown => \1) if ref $thrown eq 'Rpcgi::Harness::Unknown';
        my $fault = fault_of($thrown);
        return $fault ? (fault => $fault) : (error => account($thrown));
    }
    my $written = eval { json($result, 0, 1) };
    return (result => bless \$written, 'Rpcgi::Harness::Json') if defined $written;
    return unwritten($@);
}

# Calls a function and returns its result. In scalar context, as there is one result.
sub called {
    my ($call) = @_;
    my $function = function_named($call->{call});
    my @args = @{ $call->{args} || [] };
    if (my $context = $call->{context}) {
        my $index = defined $context->{index} ? $context->{index} : @args;
        $#args = $index - 1 if $index > @args;
        splice @args, $index, 0, $context->{value};
    }
    unshift @args, $object if defined $object;
    # `last` and `next` outside of a loop leave this block, and not the harness.
    { return scalar $function->(@args) }
    die "the function was left by `last` or `next`\n";
}

# rpcgi asks for no other names than it was told.
sub function_named {
    my ($name) = @_;
    return Rpcgi::Script::function($name) if $script;
    no strict 'refs';
    my $function = $name !~ /^[A-Za-z]\w*\z/ ? undef
        : defined $object ? UNIVERSAL::can($object, $name)
        : defined &{"${package}::$name"} ? \&{"${package}::$name"} : undef;
    return $function || die "the module has no function $name\n";
}

# ---------------------------------------------------------------------------------------------------------- JSON

# Returns the value of a JSON text in UTF-8. The lines are rpcgi's, so mistakes in them need no good words.
sub parse {
    local $_ = $_[0];
    pos = 0;
    return parse_value();
}

# Reads the value at pos($_).
sub parse_value {
    /\G\s+/gc;
    return parse_string() if /\G"/gc;
    return 0 + $1 if /\G(-?\d+)(?![\d.eE])/gc;
    # Not by addition, which makes an integer of 2.0.
    return unpack 'd', pack 'd', $1 if /\G(-?\d[\d.eE+-]*)/gc;
    return parse_members() if /\G\{/gc;
    return parse_items() if /\G\[/gc;
    return $script ? Rpcgi::Script::boolean(1) : !!1 if /\Gtrue/gc;
    return $script ? Rpcgi::Script::boolean(0) : !!0 if /\Gfalse/gc;
    return undef if /\Gnull/gc;
    die 'no JSON at ' . pos;
}

# Reads the rest of a string.
sub parse_string {
    my $string = '';
    until (/\G"/gc) {
        if (/\G([^"\\]+)/gc) { $string .= $1 }
        elsif (/\G\\u(....)/gc) { $string .= utf8_of(hex $1) }
        elsif (/\G\\(.)/gc) { $string .= exists $UNESCAPED{$1} ? $UNESCAPED{$1} : $1 }
        else { die 'a string without an end' }
    }
    # With the flag, or Perl takes its octets for characters.
    utf8::decode($string);
    return $string;
}

# Reads the rest of an array.
sub parse_items {
    my @items;
    until (/\G\s*\]/gc) {
        push @items, parse_value();
        /\G\s*,/gc;
    }
    return \@items;
}

# Reads the rest of an object, which may be a tag.
sub parse_members {
    my %members;
    until (/\G\s*\}/gc) {
        /\G\s*"/gc or die 'an object without an end';
        my $name = parse_string();
        /\G\s*:/gc;
        $members{$name} = parse_value();
        /\G\s*,/gc;
    }
    my ($name) = keys %members;
    return keys %members == 1 && $name =~ /^\$/ ? untagged($name, $members{$name}) : \%members;
}

# Returns a value as JSON in UTF-8. Of the harness's own documents nothing is escaped that looks like a tag.
sub json {
    my ($value, $depth, $tagging) = @_;
    $value = Rpcgi::Script::plain($value) if $script && $tagging;
    return 'null' unless defined $value;
    my $class = ref $value;
    return json_scalar($value) if $class eq '';
    refused("it contains itself, or is nested deeper than $DEEPEST") if ++$depth > $DEEPEST;
    return json_object($value, $depth, $tagging) if $class eq 'HASH';
    return '[' . join(',', map { json($_, $depth, $tagging) } @$value) . ']' if $class eq 'ARRAY';
    return $$value if $class eq 'Rpcgi::Harness::Json';
    return json_reference($value, $depth, $tagging);
}

# Sorted, as Perl has another order each time.
sub json_object {
    my ($members, $depth, $tagging) = @_;
    my @names = sort keys %$members;
    my $more = $tagging && @names == 1 && $names[0] =~ /^\$/ ? '$' : '';
    return '{' . join(',', map { json_name($more . $_) . ':' . json($members->{$_}, $depth, $tagging) } @names) . '}';
}

# Returns the name of a member as JSON.
sub json_name {
    my $name = utf8($_[0]);
    refused('a key that is no UTF-8') unless defined $name;
    return quoted($name);
}

# Perl has one type for numbers, text and octets: what it was made as is what it is.
sub json_scalar {
    my ($value) = @_;
    return $value ? 'true' : 'false' if defined &builtin::is_bool && builtin::is_bool($value);
    my ($is_integer, $is_double, $is_string) = flags_of(\$value);
    return json_double($value) if $is_double && !$is_integer && !$is_string;
    # Perl's own zero, as the length of an empty array is one, is marked as everything.
    if ($is_integer && (!$is_string || $is_double && $value eq '0')) {
        refused('an integer of more than 64 bits') if $value > $LONG_MAX;
        return "$value";
    }
    refused('a handle') if ref \$value eq 'GLOB';
    my $text = utf8($value);
    return defined $text ? quoted($text) : json_octets($value);
}

# Returns Perl's own marks of a scalar: SVf_IOK, SVf_NOK, SVf_POK. They stand after a pointer and a count; the module B
# tells them too, but takes 2 ms to load.
sub flags_of {
    my ($reference) = @_;
    my $flags = unpack 'L', unpack 'P4', pack 'J', $reference + length(pack 'p', '') + 4;
    return ($flags & 0x100, $flags & 0x200, $flags & 0x400);
}

# Returns a string in UTF-8, or undef if it is octets: what has no flag, and is no UTF-8.
sub utf8 {
    my ($string) = @_;
    return $string =~ tr/\x00-\x7f//c ? wide_utf8($string) : $string;
}

# Returns text in UTF-8 as a string of JSON.
sub quoted {
    my ($text) = @_;
    $text =~ s/(["\\\x00-\x1f])/$ESCAPED{$1} || sprintf '\u%04x', ord $1/ge;
    return "\"$text\"";
}

# -------------------------------------------------------------------------------------------------------- module

# Loads the file, and finds the object that is meant.
sub load_module {
    my ($setup) = @_;
    $file = $setup->{file};
    ($folder) = $file =~ m{^(.*/)};
    unshift @INC, $folder =~ m{^(.+)/\z} ? $1 : '/';
    $package = package_of(source());
    return if $script;
    # Under the name by which files beside it would ask for it, or they would load it again.
    (my $name = "$package.pm") =~ s{::}{/}g;
    $INC{$name} = $file if $file =~ m{/\Q$name\E\z};
    run_file($file);
    $object = named_object($setup->{object}) if defined $setup->{object};
}

# By `do`, as a module's last value is of no interest. It compiles into the package where it stands.
sub run_file {
    local ($/, $_) = ("\n");
    local ($@, $!);
    my $done = do { package main; do $_[0] };
    my ($thrown, $problem) = ($@, $!);
    die $thrown if ref $thrown || $thrown ne '';
    die "$_[0]: $problem\n" if !defined $done && !exists $INC{ $_[0] };
}

# Returns the text of the module.
sub source {
    local $/;
    open my $handle, '<', $file or die "$file: $!\n";
    return scalar <$handle>;
}

# The functions are those of the package that is declared before the first sub, else of main. Blocks of packages are
# classes beside them.
sub package_of {
    my ($source) = @_;
    $source =~ s/^[ \t]*package\s+[\w:]+\s*\{.*?(?:\}[ \t]*$|^\})//msg;
    return $source =~ /^[ \t]*(?:(sub)|package\s+([\w:]+)[^;{]*;)/m && $2 ? $2 : 'main';
}

# -------------------------------------------------------------------------------------------- compiled when needed

@parts = (<<'VALUES', <<'MISTAKES', <<'DESCRIPTION');

# Returns what a tag stands for.
sub untagged {
    my ($tag, $value) = @_;
    return Rpcgi::Script::untagged($tag, $value) if $script && $tag =~ /^\$(?:date|bytes)\z/;
    return time_piece($value) if $tag eq '$date';
    return 0 + $value if $tag eq '$int';
    return { substr($tag, 1) => $value } if $tag ne '$bytes';
    require MIME::Base64;
    return MIME::Base64::decode_base64($value);
}

# Returns a date: not by `strptime`, which knows none before 1900. Time::Piece has no fractions of a second.
sub time_piece {
    my ($year, $month, $day, $hour, $minute, $second) = $_[0] =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/
        or die "no date: $_[0]";
    # Years begin in March here, so that the odd day is the last one; 400 more of them keep all numbers positive.
    my $years = $year + ($month > 2 ? 400 : 399);
    my $days = 365 * $years + int($years / 4) - int($years / 100) + int($years / 400)
        + int((153 * (($month + 9) % 12) + 2) / 5) + $day - 865_566;
    local ($_, $@, $SIG{__DIE__});
    require Time::Piece;
    return scalar Time::Piece->gmtime((($days * 24 + $hour) * 60 + $minute) * 60 + $second);
}

# Returns a character, of which there may be another half to read, in UTF-8.
sub utf8_of {
    my ($code) = @_;
    $code = 0x10000 + (($code - 0xD800) << 10) + hex($1) - 0xDC00
        if $code >= 0xD800 && $code < 0xDC00 && /\G\\u(....)/gc;
    my $character = chr $code;
    utf8::encode($character);
    return $character;
}

# Says that a result cannot be written.
sub refused {
    my ($what) = @_;
    local $SIG{__DIE__};
    die bless \$what, 'Rpcgi::Harness::Refused';
}

# Returns the answer's members for a result that could not be written.
sub unwritten {
    my ($thrown) = @_;
    return (fault => [$INTERNAL_ERROR, "the result cannot be written: $$thrown"])
        if ref $thrown eq 'Rpcgi::Harness::Refused';
    my $fault = fault_of($thrown);
    return $fault ? (fault => $fault) : (error => account($thrown));
}

# Returns a reference that is neither to a plain hash nor to a plain array as JSON.
sub json_reference {
    my ($value, $depth, $tagging) = @_;
    my ($class, $kind) = (ref $value, kind($value));
    refused('a function') if $kind eq 'CODE';
    refused('a handle') if $kind eq 'GLOB';
    return json_boolean($value) if $kind eq 'SCALAR' && ($class eq 'SCALAR' || $class =~ /Boolean\z/i);
    refused("a reference of the kind $class") if $class eq $kind;
    return json_integer($value) if $value->isa('Math::BigInt') && !$value->isa('Math::BigFloat');
    return json_date($value->datetime) if $value->can('datetime');
    return json($value->TO_JSON, $depth, $tagging) if $value->can('TO_JSON');
    return json_scalar("$value") if $INC{'overload.pm'} && overload::Method($value, '""');
    return json_object($value, $depth, $tagging) if $kind eq 'HASH';
    return json([@$value], $depth, $tagging) if $kind eq 'ARRAY';
    refused("an object of the class $class");
}

# Returns what a reference is to, whatever class it is of.
sub kind {
    my ($reference) = @_;
    return (grep { UNIVERSAL::isa($reference, $_) } qw(HASH ARRAY CODE GLOB SCALAR))[0] || ref $reference;
}

# \1 and \0 are true and false, as in all JSON modules.
sub json_boolean {
    my ($reference) = @_;
    my $value = $$reference;
    return $value ? 'true' : 'false' if !defined $value || !ref $value && $value =~ /^[01]?\z/;
    refused('a reference to a scalar');
}

# Returns a big integer as JSON.
sub json_integer {
    my ($integer) = @_;
    refused($integer->bstr) if $integer->is_nan || $integer->is_inf;
    refused('an integer of more than 64 bits')
        if $integer->bcmp("$LONG_MAX") > 0 || $integer->bcmp('-9223372036854775808') < 0;
    return $integer->bstr;
}

# Returns a date as JSON.
sub json_date {
    my ($date) = @_;
    refused('a date of another form') unless $date =~ /^(\d+)(-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)/;
    return sprintf '{"$date":"%04d%s"}', $1, $2;
}

# Returns a double as JSON, with as many digits as it takes to read the same number again.
sub json_double {
    my ($number) = @_;
    refused($number == $number ? $number > 0 ? 'infinity' : '-infinity' : 'NaN') if $number - $number != 0;
    my ($digits) = grep { $_ == $number } map { sprintf "%.${_}g", $number } 15, 16, 17;
    return $digits =~ /^-?\d+\z/ ? "$digits.0" : $digits;
}

# Returns octets as JSON.
sub json_octets {
    my ($octets) = @_;
    require MIME::Base64;
    return '{"$bytes":"' . MIME::Base64::encode_base64($octets, '') . '"}';
}

# Returns a string that is not ASCII alone in UTF-8, or undef if it is octets.
sub wide_utf8 {
    my ($string) = @_;
    if (utf8::is_utf8($string)) {
        # Perl has characters that Unicode does not.
        $string =~ s/[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/\x{FFFD}/g;
        utf8::encode($string);
        return $string;
    }
    my $copy = $string;
    return utf8::decode($copy) && $string !~ /\xED[\xA0-\xBF]|\xF4[\x90-\xBF]|[\xF5-\xFF]/ ? $string : undef;
}
VALUES

# What a sub dies with is for the caller if it is a hash or an object of the module's folder, and has a code: libraries'
# exceptions have codes too, but their texts tell of paths and queries.
sub fault_of {
    my ($thrown) = @_;
    my $class = ref $thrown or return;
    return Rpcgi::Script::fault($thrown) if $script && UNIVERSAL::isa($thrown, 'SOAP::Fault');
    local ($@, $SIG{__DIE__});
    my ($code, $message) = eval {
        $class eq 'HASH' || is_own_class($class) ? (member($thrown, 'code'), member($thrown, 'message')) : ();
    };
    return unless defined $code && !ref $code && $code =~ /^-?\d{1,10}\z/ && abs $code <= $INT_MAX;
    $message = $class eq 'HASH' ? '' : $thrown unless defined $message;
    my $text = eval { text($message) };
    return defined $text ? [0 + $code, $text] : undef;
}

# Returns what a method of an object tells, or else a member of it.
sub member {
    my ($thrown, $name) = @_;
    return scalar $thrown->$name if ref $thrown ne 'HASH' && $thrown->can($name);
    return kind($thrown) eq 'HASH' ? $thrown->{$name} : undef;
}

# A class is of the module's folder if that is where one of its subs is, its own or an inherited one.
sub is_own_class {
    my ($class) = @_;
    return 1 if $class eq $package && $class ne 'main';
    (my $loaded = "$class.pm") =~ s{::}{/}g;
    return is_own($INC{$loaded}) if defined $INC{$loaded};
    return scalar grep { is_own(place($_)->{file}) } map { subs_of($_) } lineage($class);
}

# Returns whether a file is the module or one below its folder, and not of a library that was installed there.
sub is_own {
    my ($path) = @_;
    return defined $path && index($path, $folder) == 0 && substr($path, length($folder) - 1) !~ $FOREIGN;
}

# Returns all that is known of what a sub has died with, for the log.
sub account {
    my ($thrown) = @_;
    my $class = ref $thrown;
    local ($@, $SIG{__DIE__});
    my $shown = eval { text($thrown) };
    return "died with a $class, which has no text" unless defined $shown && $shown ne '';
    return $shown unless $class ne '' && $shown =~ /\(0x[0-9a-f]+\)\z/;
    # Perl prints a hash or an array by its address.
    my $inside = eval { json(kind($thrown) eq 'HASH' ? {%$thrown} : $thrown) };
    return defined $inside ? "died with a reference of the kind $class: $inside" : $shown;
}

# Returns a text for people, whatever there is in it.
sub text {
    my ($text) = @_;
    $text = "$text";
    return $text if utf8::is_utf8($text) || utf8::decode($text);
    utf8::upgrade($text);
    return $text;
}

# Returns the object that is meant: what a variable of the package holds, or an object of a class.
sub named_object {
    my ($name) = @_;
    (my $plain = $name) =~ s/^\$//;
    no strict 'refs';
    for my $variable ("${package}::$plain", "main::$plain") {
        return ${$variable} if $variable =~ /^[\w:]+\z/ && kind(${$variable}) ne ref ${$variable};
    }
    for my $class ($plain, "${package}::$plain") {
        next unless $class =~ /^[\w:]+\z/ && UNIVERSAL::can($class, 'new');
        my $made = $class->new;
        return ref $made ? $made : die "$class->new makes no object\n";
    }
    die "the module has no object or class $name\n";
}

# Returns a class and those it inherits from.
sub lineage {
    my ($class) = @_;
    no strict 'refs';
    return ($class, map { lineage($_) } @{"${class}::ISA"});
}

# Returns the names of the subs in a package, imported ones too, as PACKAGE::NAME.
sub subs_of {
    my ($name) = @_;
    no strict 'refs';
    return map { "${name}::$_" }
        grep { /^[A-Za-z]\w*\z/ && $_ !~ $SPECIAL && defined &{"${name}::$_"} } sort keys %{"${name}::"};
}

# Returns where a sub is, which is given by its name or a reference to it, and what it is called there.
sub place {
    my ($function) = @_;
    require B;
    no strict 'refs';
    my $sub = B::svref_2object(\&{$function});
    my ($start, $symbol) = ($sub->START, $sub->GV);
    return {
        file => defined $sub->FILE ? $sub->FILE : '',
        line => $start->can('line') ? $start->line : undef,
        constant => $sub->CvFLAGS & B::CVf_CONST(),
        name => $symbol->can('STASH') ? $symbol->STASH->NAME . '::' . $symbol->NAME : '',
    };
}
MISTAKES

# rpcgi reads the params from the source: Perl does not know them.
sub description {
    my %lines = lines_of_subs();
    my @exported = $script ? () : exported();
    # Pairs of a name and a sub: those of scripts have names of their own.
    my @found = $script ? Rpcgi::Script::functions(keys %lines) : map { [/(\w+)\z/, $_] }
        @exported ? @exported : defined $object ? methods() : grep { is_of_module($_) } subs_of($package);
    my @functions;
    for (@found) {
        my ($name, $function) = @$_;
        my $place = place($function);
        my $line = $lines{$function} || $lines{ $place->{name} } || ($place->{file} eq $file ? $place->{line} : undef);
        push @functions, { name => $name, $line ? (line => $line) : (), @exported || $script ? (listed => \1) : () };
    }
    my $last = 1e9;
    my %seen;
    my @loaded = sort grep { defined && !ref } values %INC;
    return {
        functions => [sort { ($a->{line} || $last) <=> ($b->{line} || $last) || $a->{name} cmp $b->{name} } @functions],
        files => [grep { is_own($_) && !$seen{$_}++ } $file, @loaded],
        version => sprintf('%vd', $^V),
        codes => {},
        $script ? Rpcgi::Script::about(source()) : (),
    };
}

# Returns what @EXPORT and @EXPORT_OK name, as PACKAGE::NAME.
sub exported {
    return if defined $object;
    no strict 'refs';
    my %seen;
    return map { "${package}::$_" } grep { /^\w+\z/ && !$seen{$_}++ && defined &{"${package}::$_"} }
        map { my $name = $_; $name =~ s/^&//; $name } @{"${package}::EXPORT"}, @{"${package}::EXPORT_OK"};
}

# Returns the object's methods, as PACKAGE::NAME.
sub methods {
    my %seen;
    return grep { /(\w+)\z/ && !$seen{$1}++ && is_own(place($_)->{file}) } map { subs_of($_) } lineage(ref $object);
}

# Returns whether a sub is the module's own, and no constant.
sub is_of_module {
    my $place = place($_[0]);
    return $place->{file} eq $file && !$place->{constant};
}

# Returns the lines at which the file's subs begin, by PACKAGE::NAME: Perl knows those of first statements only.
sub lines_of_subs {
    my ($in, $number, $is_pod, %lines) = ('main', 0);
    for my $line (split /\n/, source()) {
        $number++;
        last if $line =~ /^__(?:END|DATA)__\b/;
        $is_pod = $1 ne 'cut' if $line =~ /^=([A-Za-z]\w*)/;
        next if $is_pod;
        # A block of a package on one line ends there.
        next if $line =~ /^\s*package\s+[\w:]+\s*\{.*\}\s*$/;
        $in = $1 if $line =~ /^\s*package\s+([\w:]+)/;
        $lines{"${in}::$1"} ||= $number if $line =~ /^\s*sub\s+(\w+)/;
    }
    return %lines;
}
DESCRIPTION

run();
