# The harness of Perl modules: loads one, tells what is public in it, and calls it. README.md has the conversation.
#
# Runs by `perl -e`, for Perl 5.10 and later. It starts in 2 ms where JSON::PP alone takes 9, so it has a JSON of its
# own, and loads B, MIME::Base64 and Time::Piece when a value needs them.
package Rpcgi::Harness;
use strict;

my $DEEPEST = 200;
my $INTERNAL_ERROR = -32603;
my $INT_MAX = 2147483647;
my $LONG_MAX = 9223372036854775807;
# Subs that Perl calls by itself.
my $SPECIAL = qr/^(?:BEGIN|UNITCHECK|CHECK|INIT|END|AUTOLOAD|DESTROY|CLONE|CLONE_SKIP|import|unimport|new)\z/;
my $FOREIGN = qr{/(?:vendor|node_modules|local/lib/perl5)/};

my $socket;
my $process = $$;
# What has no answer yet: "broken" until the module is there, then the id of a call.
my $pending = 'broken';
# The module, its folder with a slash, its package; the object whose methods are meant, if there is one.
my ($file, $folder, $package, $object);

# `exit` in a function would end the harness: it ends the function instead. A process of the module's own may end.
BEGIN {
    *CORE::GLOBAL::exit = sub (;$) {
        my $code = @_ ? $_[0] : 0;
        CORE::exit($code) if $$ != $process || !defined $pending;
        die bless { text => "exit($code) was called" }, 'Rpcgi::Harness::Exit';
    };
}

# The last word, where no eval can help: when the memory is at its end.
END {
    if ($$ == $process && defined $pending) {
        my $text = 'the program has ended by itself, or has no more memory';
        answer($pending eq 'broken' ? { broken => $text } : { id => $pending, error => $text });
    }
}

run();

sub run {
    open_socket();
    my $setup = next_document();
    if (!$setup) {
        undef $pending;
        return;
    }
    my $first = eval {
        load_module($setup);
        $setup->{describe} ? json({ described => description() }) : '';
    };
    if (!defined $first) {
        answer({ broken => account($@) });
        CORE::exit(1);
    }
    undef $pending;
    send_line($first) if $first ne '';
    serve();
}

# The socket moves up and is closed in what the module starts ($^F), and /dev/null takes its place.
sub open_socket {
    open $socket, '+<&', \*STDIN or die "descriptor 0: $!";
    binmode $socket;
    open STDIN, '<', '/dev/null' or die "/dev/null: $!";
    # So that the log has what a function prints before it is stopped.
    $| = 1;
}

sub serve {
    while (my $call = next_document()) {
        $pending = $call->{id};
        answer({ id => $pending, outcome($call) });
    }
}

# --------------------------------------------------------------------------------------------------------- lines

# The module may have set any of Perl's variables: those that matter here are as they are by default.
sub next_document {
    local ($/, $_) = ("\n");
    my $line = readline $socket;
    return unless defined $line;
    return parse($line);
}

sub answer {
    my ($document) = @_;
    local ($@, $SIG{__DIE__});
    my $line = eval { json($document) };
    $line = json({ id => $pending, error => text($@) }) unless defined $line;
    undef $pending;
    send_line($line);
}

sub send_line {
    my $line = "$_[0]\n";
    # A process that the module has forked has no part in this.
    CORE::exit(0) if $$ != $process;
    for (my $sent = 0; $sent < length $line;) {
        my $count = syswrite $socket, $line, length($line) - $sent, $sent;
        next if !defined $count && $!{EINTR};
        CORE::exit(1) unless $count;
        $sent += $count;
    }
}

# --------------------------------------------------------------------------------------------------------- calls

# Returns the answer's members. A result is written at once: a value that cannot be is a fault of this call.
sub outcome {
    my ($call) = @_;
    local ($@, $_);
    my $result;
    if (!eval { $result = called($call); 1 }) {
        my $fault = fault_of($@);
        return $fault ? (fault => $fault) : (error => account($@));
    }
    local $SIG{__DIE__};
    my $written = eval { json($result, 0, 1) };
    return (result => bless \$written, 'Rpcgi::Harness::Json') if defined $written;
    my $reason = $@;
    return (fault => [$INTERNAL_ERROR, "the result cannot be written: $$reason"]) if ref $reason eq 'Rpcgi::Harness::Refused';
    return (error => account($reason));
}

# In scalar context, as there is one result.
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
    return scalar $function->(@args);
}

# rpcgi asks for no other names than it was told; only what can be told is found here.
sub function_named {
    my ($name) = @_;
    no strict 'refs';
    my $function = $name !~ /^[A-Za-z]\w*\z/ ? undef
        : defined $object ? UNIVERSAL::can($object, $name)
        : defined &{"${package}::$name"} ? \&{"${package}::$name"} : undef;
    return $function || die "the module has no function $name\n";
}

# What a sub dies with is for the caller if it is a hash or an object of the module's folder, and has a code: libraries'
# exceptions have codes too, but their texts tell of paths and queries.
sub fault_of {
    my ($thrown) = @_;
    my $class = ref $thrown or return;
    local ($@, $SIG{__DIE__});
    my ($code, $message) = eval {
          $class eq 'HASH' ? @$thrown{ 'code', 'message' }
        : !is_own_class($class) ? ()
        : map { my $member = $_; $thrown->can($member) ? scalar $thrown->$member : kind($thrown) eq 'HASH' ? $thrown->{$member} : undef }
            'code', 'message';
    };
    return unless defined $code && !ref $code && $code =~ /^-?\d{1,10}\z/ && abs $code <= $INT_MAX;
    return [0 + $code, text(defined $message ? $message : $thrown)];
}

# A class is of the module's folder if that is where one of its subs is, its own or an inherited one.
sub is_own_class {
    my ($class) = @_;
    return 1 if $class eq ($package || '') && $class ne 'main';
    (my $loaded = "$class.pm") =~ s{::}{/}g;
    return is_own($INC{$loaded}) if defined $INC{$loaded};
    return scalar grep { is_own(place($_)->{file}) } subs_of($class);
}

sub is_own {
    my ($path) = @_;
    return defined $path && index($path, $folder) == 0 && substr($path, length($folder) - 1) !~ $FOREIGN;
}

sub account {
    my ($thrown) = @_;
    local ($@, $SIG{__DIE__});
    return $thrown->{text} if ref $thrown eq 'Rpcgi::Harness::Exit';
    # Perl prints a hash by its address.
    my $shown = eval { ref $thrown eq 'HASH' ? json($thrown) : text($thrown) };
    return defined $shown && $shown ne '' ? $shown : 'died with a ' . ref($thrown) . ', which has no text';
}

# Returns a text for people, whatever there is in it.
sub text {
    my ($text) = @_;
    $text = "$text";
    return $text if utf8::is_utf8($text) || utf8::decode($text);
    utf8::upgrade($text);
    return $text;
}

# ---------------------------------------------------------------------------------------------------------- JSON

my %UNESCAPED = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");
my %ESCAPED = ('"' => '\"', '\\' => '\\\\', "\b" => '\b', "\f" => '\f', "\n" => '\n', "\r" => '\r', "\t" => '\t');

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
    return !!1 if /\Gtrue/gc;
    return !!0 if /\Gfalse/gc;
    return undef if /\Gnull/gc;
    die 'no JSON at ' . pos;
}

sub parse_string {
    my $string = '';
    until (/\G"/gc) {
        if (/\G([^"\\]+)/gc) { $string .= $1 }
        elsif (/\G\\u([dD][89abAB]..)\\u(....)/gc) { $string .= utf8_of(0x10000 + (hex($1) - 0xD800 << 10) + hex($2) - 0xDC00) }
        elsif (/\G\\u(....)/gc) { $string .= utf8_of(hex $1) }
        elsif (/\G\\(.)/gc) { $string .= exists $UNESCAPED{$1} ? $UNESCAPED{$1} : $1 }
        else { die 'a string without an end' }
    }
    # With the flag, or Perl takes its octets for characters.
    utf8::decode($string);
    return $string;
}

sub utf8_of {
    my $character = chr $_[0];
    utf8::encode($character);
    return $character;
}

sub parse_items {
    my @items;
    until (/\G\s*\]/gc) {
        push @items, parse_value();
        /\G\s*,/gc;
    }
    return \@items;
}

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

sub untagged {
    my ($tag, $value) = @_;
    return time_piece($value) if $tag eq '$date';
    return 0 + $value if $tag eq '$int';
    return { substr($tag, 1) => $value } if $tag ne '$bytes';
    require MIME::Base64;
    return MIME::Base64::decode_base64($value);
}

# Time::Piece has no fractions of a second.
sub time_piece {
    my ($text) = @_;
    local ($_, $@, $SIG{__DIE__});
    require Time::Piece;
    return Time::Piece->strptime(substr($text, 0, 19), '%Y-%m-%dT%H:%M:%S');
}

# Returns a value as JSON in UTF-8. Of the harness's own documents nothing is escaped that looks like a tag.
sub json {
    my ($value, $depth, $tagging) = @_;
    return 'null' unless defined $value;
    my $class = ref $value;
    return json_scalar($value, $tagging) if $class eq '';
    refused("it contains itself, or is nested deeper than $DEEPEST") if ++$depth > $DEEPEST;
    return json_object($value, $depth, $tagging) if $class eq 'HASH';
    return '[' . join(',', map { json($_, $depth, $tagging) } @$value) . ']' if $class eq 'ARRAY';
    return $$value if $class eq 'Rpcgi::Harness::Json';
    return json_boolean($value) if $class eq 'SCALAR';
    return json_blessed($value, $depth, $tagging);
}

sub refused {
    my ($what) = @_;
    die bless \$what, 'Rpcgi::Harness::Refused';
}

# Sorted, as Perl has another order each time.
sub json_object {
    my ($members, $depth, $tagging) = @_;
    my @names = sort keys %$members;
    my $more = $tagging && @names == 1 && $names[0] =~ /^\$/ ? '$' : '';
    return '{' . join(',', map { json_name($more . $_) . ':' . json($members->{$_}, $depth, $tagging) } @names) . '}';
}

sub json_name {
    my $name = utf8($_[0]);
    refused('a key that is no UTF-8') unless defined $name;
    return quoted($name);
}

# \1 and \0 are true and false, as in all JSON modules.
sub json_boolean {
    my ($reference) = @_;
    my $value = $$reference;
    return $value ? 'true' : 'false' if !defined $value || !ref $value && $value =~ /^[01]?\z/;
    refused('a reference to a scalar');
}

sub json_blessed {
    my ($value, $depth, $tagging) = @_;
    my $class = ref $value;
    my $kind = kind($value);
    refused($kind eq 'CODE' ? 'a function' : $kind eq 'GLOB' ? 'a handle' : "a reference of the kind $class")
        if $class eq $kind || $kind eq 'CODE' || $kind eq 'GLOB';
    return json_boolean($value) if $kind eq 'SCALAR' && $class =~ /Boolean\z/i;
    return json_integer($value) if $value->isa('Math::BigInt') && !$value->isa('Math::BigFloat');
    return json_date($value->datetime) if $value->can('datetime');
    return json($value->TO_JSON, $depth, $tagging) if $value->can('TO_JSON');
    return json_scalar("$value", $tagging) if $INC{'overload.pm'} && overload::Method($value, '""');
    return json_object($value, $depth, $tagging) if $kind eq 'HASH';
    return json([@$value], $depth, $tagging) if $kind eq 'ARRAY';
    refused("an object of the class $class");
}

sub kind {
    my ($reference) = @_;
    return (grep { UNIVERSAL::isa($reference, $_) } qw(HASH ARRAY CODE GLOB SCALAR))[0] || ref $reference;
}

sub json_integer {
    my ($integer) = @_;
    refused($integer->bstr) if $integer->is_nan || $integer->is_inf;
    refused('an integer of more than 64 bits') if $integer->bcmp("$LONG_MAX") > 0 || $integer->bcmp('-9223372036854775808') < 0;
    return $integer->bstr;
}

sub json_date {
    my ($date) = @_;
    refused('a date of another form') unless $date =~ /^(-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)/;
    return "{\"\$date\":\"$1\"}";
}

# Perl has one type for numbers, text and octets: what it was made as is what it is.
sub json_scalar {
    my ($value, $tagging) = @_;
    my $type = type_of(\$value);
    return $value ? 'true' : 'false' if $type eq 'boolean';
    return json_number($value, $type) if $type ne 'string';
    my $text = utf8($value);
    return quoted($text) if defined $text;
    require MIME::Base64;
    return '{"$bytes":"' . MIME::Base64::encode_base64($value, '') . '"}';
}

sub json_number {
    my ($number, $type) = @_;
    refused($number == $number ? $number > 0 ? 'infinity' : '-infinity' : 'NaN') if $number - $number != 0;
    if ($type eq 'integer') {
        refused('an integer of more than 64 bits') if $number > $LONG_MAX;
        return "$number";
    }
    # As many digits as it takes to read the same number again.
    my ($digits) = grep { $_ == $number } map { sprintf "%.${_}g", $number } 15, 16, 17;
    return $digits =~ /^-?\d+\z/ ? "$digits.0" : $digits;
}

# Returns what a scalar was made as. Since 5.36 Perl tells most of it; B does the rest, and takes 2 ms to load.
sub type_of {
    my ($reference) = @_;
    if (defined &builtin::created_as_number) {
        no warnings;
        return 'boolean' if builtin::is_bool($$reference);
        return 'string' unless builtin::created_as_number($$reference);
        return 'double' if "$$reference" =~ /[^-\d]/;
    }
    require B;
    my $flags = B::svref_2object($reference)->FLAGS;
    return 'integer' if $flags & B::SVf_IOK() && !($flags & B::SVf_POK());
    return $flags & B::SVf_NOK() && !($flags & B::SVf_POK()) ? 'double' : 'string';
}

# Returns a string in UTF-8, or undef if it is octets: what has no flag, and is no UTF-8.
sub utf8 {
    my ($string) = @_;
    return $string unless $string =~ tr/\x00-\x7f//c;
    if (utf8::is_utf8($string)) {
        # Perl has characters that Unicode does not.
        $string =~ s/[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/\x{FFFD}/g;
        utf8::encode($string);
        return $string;
    }
    my $copy = $string;
    return utf8::decode($copy) && $string !~ /\xED[\xA0-\xBF]|\xF4[\x90-\xBF]|[\xF5-\xFF]/ ? $string : undef;
}

sub quoted {
    my ($text) = @_;
    $text =~ s/(["\\\x00-\x1f])/$ESCAPED{$1} || sprintf '\u%04x', ord $1/ge;
    return "\"$text\"";
}

# -------------------------------------------------------------------------------------------------------- module

sub load_module {
    my ($setup) = @_;
    $file = $setup->{file};
    ($folder) = $file =~ m{^(.*/)};
    unshift @INC, $folder =~ m{^(.+)/\z} ? $1 : '/';
    $package = package_of(source());
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

# Returns the object that is meant: what a variable of the package holds, or an object of a class.
sub named_object {
    my ($name) = @_;
    (my $plain = $name) =~ s/^\$//;
    no strict 'refs';
    for my $variable ("${package}::$plain", $plain) {
        return ${$variable} if $variable =~ /^[\w:]+\z/ && ref ${$variable} && kind(${$variable}) ne ref ${$variable};
    }
    for my $class ($plain, "${package}::$plain") {
        return scalar $class->new if $class =~ /^[\w:]+\z/ && UNIVERSAL::can($class, 'new');
    }
    die "the module has no object or class $name\n";
}

# --------------------------------------------------------------------------------------------------- description

# rpcgi reads the params from the source: Perl does not know them.
sub description {
    my %lines = lines_of_subs();
    my @exported = exported();
    my @found = @exported ? @exported : defined $object ? methods() : grep { is_of_module($_) } subs_of($package);
    my @functions;
    for my $function (@found) {
        my ($class, $name) = $function =~ /^(.*)::(\w+)\z/;
        my $place = place($function);
        my $line = $lines{$function} || ($place->{file} eq $file ? $place->{line} : undef);
        push @functions, { name => $name, $line ? (line => $line) : (), @exported ? (listed => \1) : () };
    }
    my $last = 1e9;
    my %seen;
    return {
        functions => [sort { ($a->{line} || $last) <=> ($b->{line} || $last) || $a->{name} cmp $b->{name} } @functions],
        files => [grep { is_own($_) && !$seen{$_}++ } $file, sort grep { defined } map { ref $_ ? () : $_ } values %INC],
        version => sprintf('%vd', $^V),
        codes => {},
    };
}

# Returns what @EXPORT and @EXPORT_OK name, as a sub in a package.
sub exported {
    return if defined $object;
    no strict 'refs';
    my %seen;
    return map { "${package}::$_" } grep { /^\w+\z/ && !$seen{$_}++ && defined &{"${package}::$_"} }
        map { my $name = $_; $name =~ s/^&//; $name } @{"${package}::EXPORT"}, @{"${package}::EXPORT_OK"};
}

sub methods {
    my %seen;
    return grep { /(\w+)\z/ && !$seen{$1}++ && is_own(place($_)->{file}) } map { subs_of($_) } lineage(ref $object || $object);
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
    return map { "${name}::$_" } grep { /^[A-Za-z]\w*\z/ && $_ !~ $SPECIAL && defined &{"${name}::$_"} } sort keys %{"${name}::"};
}

sub is_of_module {
    my $place = place($_[0]);
    return $place->{file} eq $file && !$place->{constant};
}

sub place {
    my ($name) = @_;
    require B;
    no strict 'refs';
    my $sub = B::svref_2object(\&{$name});
    my $start = $sub->START;
    return {
        file => defined $sub->FILE ? $sub->FILE : '',
        line => $start->can('line') ? $start->line : undef,
        constant => $sub->CvFLAGS & B::CVf_CONST(),
    };
}

# Returns the lines at which the file's subs begin, by PACKAGE::NAME: Perl knows those of first statements only.
sub lines_of_subs {
    my ($in, $number, $is_pod, %lines) = ('main', 0);
    for my $line (split /\n/, source()) {
        $number++;
        last if $line =~ /^__(?:END|DATA)__\b/;
        $is_pod = $1 ne 'cut' if $line =~ /^=([A-Za-z]\w*)/;
        next if $is_pod;
        # a block of a package on one line ends there
        next if $line =~ /^\s*package\s+[\w:]+\s*\{.*\}\s*$/;
        $in = $1 if $line =~ /^\s*package\s+([\w:]+)/;
        $lines{"${in}::$1"} ||= $number if $line =~ /^\s*sub\s+(\w+)/;
    }
    return %lines;
}
