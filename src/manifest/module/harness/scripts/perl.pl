# The stand-in for the servers of XMLRPC::Lite and Frontier::RPC: programs that use them run as they are. Stands before
# the harness, and defines things alone.
use strict;

package Rpcgi::Script;

my $NEVER_SERVED = 'the script has ended without serving: it never called `handle` or `answer`. If it answers requests '
    . 'by itself, as = "module" takes its functions';
# What the libraries see as numbers and dates, in text too.
my $INTEGER = qr/^[+-]?\d+\z/;
my $DOUBLE = qr/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d+)?\z/;
my $DATE = qr/^(\d{4})(\d\d)(\d\d)(T\d\d:\d\d:\d\d)\z/;
# The code of faults whose own is no number, as SOAP's `Server` is none.
my $NO_CODE = 1;
my $LARGEST_CODE = 2147483647;
# What a web server tells CGI programs of a caller.
my $CALLER = qr/\bENV\s*\{\s*['"]?((?:REMOTE|HTTP|AUTH|SSL)_\w+)/;

# What writes a value of a type as JSON.
my %WRITERS = (
    (map { ($_ => \&json_integer) } qw(int i4 i8 long)),
    (map { ($_ => \&json_double) } qw(double float)),
    (map { ($_ => \&json_date) } qw(dateTime dateTime.iso8601)),
    boolean => sub { return $_[0] ? 'true' : 'false' },
    string => sub { return Rpcgi::Harness::quoted(Rpcgi::Harness::utf8(Rpcgi::Harness::text($_[0]))) },
    base64 => \&json_octets,
    # Frontier's octets, which its functions decode and encode by themselves.
    encoded => sub { return '{"$bytes":"' . join('', split /\s+/, $_[0]) . '"}' },
);

# The server that the program has asked to serve, and whether the input has come to its end.
my ($server, $is_over);

# Runs the file as the program that it is, up to its end.
sub run {
    my ($file) = @_;
    @ENV{qw(REQUEST_METHOD GATEWAY_INTERFACE)} = qw(POST CGI/1.1);
    $0 = $file;
    my $is_done = eval { Rpcgi::Harness::run_file($file); 1 };
    my $thrown = $@;
    if ($server) {
        die $thrown unless $is_done;
        return;
    }
    # `exit` throws, as long as there is no answer.
    Rpcgi::Harness::broken($thrown) unless $is_done || $thrown =~ /^exit\(\d+\) was called$/;
    my $is_guarded = Rpcgi::Harness::source() =~ /(?:\b(?:unless|if|or)|\|\|)[\s(!]*caller\b/;
    Rpcgi::Harness::broken($NEVER_SERVED . ($is_guarded ? '. It looks at `caller`, which is never false here' : ''));
}

# Answers calls by a server of the program's, until there are no more.
sub serve {
    CORE::exit(0) if $is_over;
    die "a second server in one script is never asked: a manifest for each would serve both\n" if $server;
    $server = $_[0];
    Rpcgi::Harness::converse();
    $is_over = 1;
    return '';
}

# Ends with a sentence on what cannot be done.
sub give_up {
    my ($sentence) = @_;
    die "$sentence\n" if $server;
    Rpcgi::Harness::broken($sentence);
}

# Refuses methods of the program's own through which requests go and may be turned away: no guard is left out silently.
sub check_methods {
    my ($checked, $base, @names) = @_;
    my $class = ref $checked;
    my ($own) = grep { ($class->can($_) || 0) != ($base->can($_) || 0) } @names or return;
    give_up("$class has a `$own` of its own, which rpcgi does not run. If it decides who may call, let the web server "
        . 'do that; then take it out');
}

# ------------------------------------------------------------------------------------------ what the harness asks for

# Returns what calls the function of a name.
sub function {
    my ($name) = @_;
    return sub { return $server->rpcgi_call($name, @_) };
}

# Says that the program serves no such name.
sub unknown {
    local $SIG{__DIE__};
    die bless [], 'Rpcgi::Harness::Unknown';
}

# Returns pairs of a name that is served and its sub. It gets the subs of the file, as PACKAGE::NAME.
sub functions {
    return $server->rpcgi_functions(@_);
}

# Returns what else is described.
sub about {
    my ($source) = @_;
    my %seen;
    my @asked = grep { !$seen{$_}++ } $source =~ /$CALLER/g;
    my @notes = map { "the script looks at $_, which it does not get: let the web server decide who may call" } @asked;
    my $any = $server->rpcgi_serves_any ? \1 : \0;
    return (script => { any => $any }, notes => [@notes, $server->rpcgi_notes]);
}

# Returns what a fault of the program's is for its caller.
sub fault {
    my ($fault) = @_;
    my ($code, $text) = map { defined $_ ? Rpcgi::Harness::text($_) : '' } $fault->faultcode, $fault->faultstring;
    $text = 'Application error' if $text eq '';
    return [0 + $code, $text] if $code =~ /^-?\d{1,10}\z/ && abs $code <= $LARGEST_CODE;
    return [$NO_CODE, $code =~ /^(?:Server|Client)?\z/ ? $text : "$code: $text"];
}

# ------------------------------------------------------------------------------------------------------------- values

# Returns a boolean as functions get it.
sub boolean {
    my ($truth) = @_;
    return $server->rpcgi_argument(boolean => $truth);
}

# Returns a date or octets as functions get them.
sub untagged {
    my ($tag, $value) = @_;
    return $server->rpcgi_argument(base64 => $value) if $tag eq '$bytes';
    $value =~ s/\..*//;
    $value =~ tr/-//d;
    return $server->rpcgi_argument(dateTime => $value);
}

# Returns a part of a result as the harness is to write it.
sub plain {
    my ($value) = @_;
    # The libraries have no nil, and write an empty string.
    return '' unless defined $value;
    return ref \$value eq 'GLOB' ? $value : $server->rpcgi_scalar($value) unless ref $value;
    return $value unless UNIVERSAL::can($value, 'rpcgi_typed');
    my ($type, $inner) = $value->rpcgi_typed;
    return plain($inner) if !defined $type || !defined $inner || ref $inner || $type =~ /^(?:array|struct)\z/;
    my $writer = $WRITERS{$type} || Rpcgi::Harness::refused("a value of the type $type");
    return raw($writer->($inner));
}

# Returns a scalar as a number if it looks like one, else undef.
sub number {
    my ($scalar) = @_;
    my (undef, $is_double, $is_string) = Rpcgi::Harness::flags_of(\$scalar);
    return 0 + $scalar if $scalar =~ $INTEGER && abs $scalar < 2**63;
    return $scalar if $is_double && !$is_string;
    # Not by addition, which makes an integer of 2.0.
    return unpack 'd', pack 'd', $scalar if $scalar =~ $DOUBLE && $scalar !~ $INTEGER;
    return undef;
}

# Returns a text of JSON, to be written as it stands.
sub raw {
    my ($json) = @_;
    return bless \$json, 'Rpcgi::Harness::Json';
}

sub json_integer {
    my ($value) = @_;
    return $1 . $2 if $value =~ /^\+?(-?)0*(\d+)\z/ && abs $value < 2**63;
    Rpcgi::Harness::refused("\"$value\" as an integer") unless $value =~ $DOUBLE && abs $value < 2**63;
    return sprintf '%d', $value;
}

sub json_double {
    my ($value) = @_;
    my (undef, $is_double, $is_string) = Rpcgi::Harness::flags_of(\$value);
    Rpcgi::Harness::refused("\"$value\" as a double") unless $is_double && !$is_string || $value =~ $DOUBLE;
    return Rpcgi::Harness::json_double(unpack 'd', pack 'd', $value);
}

sub json_date {
    my ($value) = @_;
    $value =~ s/^(\d{4})(\d\d)(\d\d)T/$1-$2-$3T/;
    return Rpcgi::Harness::json_date($value);
}

sub json_octets {
    my ($value) = @_;
    utf8::encode($value) if utf8::is_utf8($value) && !utf8::downgrade($value, 1);
    return Rpcgi::Harness::json_octets($value);
}

# ----------------------------------------------------------------------------------------------- SOAP and XMLRPC::Lite

# A value with a type. Each method sets something where a value follows, and makes an object where there is none yet.
package SOAP::Data;

our @EXPORT_OK = qw(name type attr value uri);

sub import {
    require Exporter;
    goto &Exporter::import;
}

sub new {
    my ($class, %members) = @_;
    return $class if ref $class;
    my $self = bless { _value => [] }, $class;
    $self->can($_) && $self->$_($members{$_}) for keys %members;
    return $self;
}

# Programs may have imported these, and call them without a class.
sub rpcgi_self {
    my ($arguments) = @_;
    return shift @$arguments if ref $arguments->[0];
    return UNIVERSAL::isa($arguments->[0], __PACKAGE__) ? shift(@$arguments)->new : __PACKAGE__->new;
}

for my $member (qw(name type attr uri prefix)) {
    no strict 'refs';
    *{$member} = sub {
        my $self = rpcgi_self(\@_);
        return $self->{"_$member"} unless @_;
        $self->{"_$member"} = shift;
        return @_ ? $self->value(@_) : $self;
    };
}

sub value {
    my $self = rpcgi_self(\@_);
    return wantarray ? @{ $self->{_value} } : $self->{_value}[0] unless @_;
    $self->{_value} = [@_];
    return $self;
}
*set_value = \&value;

sub rpcgi_typed {
    my ($self) = @_;
    return ($self->{_type}, $self->{_value}[0]);
}

package XMLRPC::Data;
our @ISA = ('SOAP::Data');

# A fault for the caller.
package SOAP::Fault;

sub new {
    my ($class, %members) = @_;
    return $class if ref $class;
    # It takes 1 ms to load, and few calls have a fault.
    require overload;
    overload::OVERLOAD(__PACKAGE__, '""' => \&stringify, fallback => 1) unless overload::Method(__PACKAGE__, '""');
    my $self = bless {}, $class;
    $self->can($_) && $self->$_($members{$_}) for keys %members;
    return $self;
}

sub stringify {
    my ($self) = @_;
    return join ': ', map { defined $_ ? $_ : '' } $self->faultcode, $self->faultstring;
}

for my $member (qw(faultcode faultstring faultdetail faultactor)) {
    no strict 'refs';
    *{$member} = sub {
        my $self = shift->new;
        return $self->{"_$member"} unless @_;
        $self->{"_$member"} = shift;
        return $self;
    };
}
*detail = \&faultdetail;

# What `on_dispatch` may ask of a request.
package XMLRPC::SOM;

sub method { return $_[0]{method} }
sub paramsin { return wantarray ? @{ $_[0]{params} } : $_[0]{params}[0] }

sub AUTOLOAD {
    my ($name) = our $AUTOLOAD =~ /(\w+)\z/;
    die "`$name` of a request: rpcgi has read it, and tells `method` and `paramsin`\n" if $name ne 'DESTROY';
}

# A server, whatever it listens to: rpcgi does that.
package XMLRPC::Server;

# Those through which a request goes on its way to a function.
my @GUARDING = qw(handle find_target request initialize);

sub new {
    my $class = shift;
    return $class if ref $class;
    my $self = bless { to => [], with => {} }, $class;
    while (my ($method, $params) = splice @_, 0, 2) {
        $self->$method(ref $params eq 'ARRAY' ? @$params : $params) if $class->can($method);
    }
    return $self;
}

sub dispatch_to {
    my $self = shift->new;
    return @{ $self->{to} } unless @_;
    $self->{to} = [@_];
    return $self;
}

my %DEFAULTS = (
    dispatch_with => sub { return {} },
    options => sub { return {} },
    serializer => sub { return XMLRPC::Serializer->new },
    deserializer => sub { return XMLRPC::Serializer->new },
    on_action => sub { return sub { } },
    on_dispatch => sub { return \&rpcgi_divided },
);

for my $member (keys %DEFAULTS) {
    no strict 'refs';
    *{$member} = sub {
        my $self = shift->new;
        return $self->{$member} ||= $DEFAULTS{$member}->() unless @_;
        $self->{$member} = shift;
        return $self;
    };
}

# What rpcgi does by itself, or has no use for.
for my $ignored (qw(transport packager action myuri dispatched objects_by_reference setDebugLogger soapversion)) {
    no strict 'refs';
    *{$ignored} = sub { return shift->new };
}

sub handle {
    my $self = shift->new;
    Rpcgi::Script::check_methods($self, __PACKAGE__, @GUARDING);
    Rpcgi::Script::give_up('the script reads the request by itself and hands it to `handle`: rpcgi has read it. Call '
        . '`handle` without it') if @_;
    $self->rpcgi_load;
    return Rpcgi::Script::serve($self);
}

# Loads the classes that are named and not there yet, as the library does when one is asked for first.
sub rpcgi_load {
    my ($self) = @_;
    for my $name (grep { !ref } @{ $self->{to} }, values %{ $self->dispatch_with }) {
        Rpcgi::Script::give_up("dispatch_to('$name') would load modules of a folder by names that callers give: name "
            . 'the packages instead') if $name =~ m{[/\\]|^\.};
        next if $name !~ /^\w+(?:::\w+)*\z/ || main->can($name) || defined &$name || rpcgi_is_there($name);
        my ($class) = $name =~ /^(.+)::/;
        next if rpcgi_require($name) || defined $class && (rpcgi_is_there($class) || rpcgi_require($class));
        push @{ $self->{notes} }, "the server is to serve `$name`, which is neither a package nor a sub";
    }
}

# Tests whether a package has subs, or inherits some.
sub rpcgi_is_there {
    my ($class) = @_;
    no strict 'refs';
    return @{"${class}::ISA"} || grep { defined &{"${class}::$_"} } keys %{"${class}::"};
}

# Loads a class, and tells whether there is one.
sub rpcgi_require {
    my ($class) = @_;
    (my $file = "$class.pm") =~ s{::}{/}g;
    local $SIG{__DIE__};
    return 1 if eval { require $file };
    return if $@ =~ /^Can't locate \Q$file\E/;
    die $@;
}

# Calls what a name stands for. Of several results callers have always seen the first.
sub rpcgi_call {
    my ($self, $name, @args) = @_;
    my ($target, $path, $method) = $self->rpcgi_target($name, @args) or Rpcgi::Script::unknown();
    # It may refuse the call.
    $self->on_action->(undef, $path, $method);
    my ($result) = $target->$method(@args);
    return $result;
}

# Returns the class or object that a name means, with the name's path and method.
sub rpcgi_target {
    my ($self, $name, @args) = @_;
    my $request = bless { method => $name, params => \@args }, 'XMLRPC::SOM';
    my ($path, $method) = $self->on_dispatch->($request);
    return unless defined $method && $method =~ /^\w+\z/ && !UNIVERSAL->can($method);
    $path = '' unless defined $path;
    my ($target) = grep { defined } @{ $self->dispatch_with }{ $path, '' }, $self->rpcgi_bound($path, $method);
    return unless defined $target && grep { UNIVERSAL::can($target, $_) } $method, 'AUTOLOAD';
    Rpcgi::Script::give_up("$target is a SOAP::Server::Parameters, which gets the envelope of the request: rpcgi has "
        . 'none, so let its methods take their params as they come') if $target->isa('SOAP::Server::Parameters');
    return ($target, $path, $method);
}

# Returns the path and the method of a request for a name with dots.
sub rpcgi_divided {
    my ($path, $method) = $_[0]->method =~ /^(?:(.*)\.)?(\w+)\z/ or return;
    $path =~ tr{.}{/} if defined $path;
    return ($path, $method);
}

# Returns the class or object of a path, if `dispatch_to` is for it. What stands there are patterns.
sub rpcgi_bound {
    my ($self, $path, $method) = @_;
    (my $class = $path) =~ s{^/|/\z}{}g;
    $class =~ s{/}{::}g;
    $class = 'main' if $class eq '';
    return unless $class =~ /^\w[\w:]*\z/;
    for my $each (@{ $self->{to} }) {
        return $each if ref $each eq $class;
        next if ref $each;
        # What is no pattern is passed over.
        my $is_meant = eval { grep { /^(?:$each)\z/ } $class, "${class}::$method", $class eq 'main' ? $method : () };
        return $class if $is_meant;
    }
    return;
}

# Returns the pairs of names and subs: of all that may be meant those that a call would find.
sub rpcgi_functions {
    my ($self, @subs) = @_;
    my (@found, %seen);
    for my $pair ($self->rpcgi_prefixes(@subs)) {
        my ($class, $prefix) = @$pair;
        for my $sub (rpcgi_public_subs($class), $self->rpcgi_named_subs($class)) {
            my ($method) = $sub =~ /(\w+)\z/;
            my ($target) = eval { $self->rpcgi_target("$prefix$method") };
            Rpcgi::Script::give_up($1) if $@ =~ /^(.*SOAP::Server::Parameters.*)$/;
            next unless defined $target && (ref $target || $target) eq $class && !$seen{"$prefix$method"}++;
            push @found, ["$prefix$method", $sub];
        }
    }
    return @found;
}

# Returns pairs of a class and what stands before the names of its methods.
sub rpcgi_prefixes {
    my ($self, @subs) = @_;
    my $with = $self->dispatch_with;
    my @pairs = map { [ref $with->{$_} || $with->{$_}, $_] } sort keys %$with;
    my @named = map { ref || (/^\w+(?:::\w+)*\z/ ? ($_, /^(.+)::/) : ()) } @{ $self->{to} };
    my @packages = map { /^(.+)::/ } @subs;
    my %seen;
    my @classes = grep { !$seen{$_}++ } 'main', @named, @packages, map { $_->[0] } @pairs;
    push @pairs, map { [$_, $_ eq 'main' ? '' : $_] } @classes;
    push @pairs, map { [$_, ''] } @classes if $self->rpcgi_divides;
    for my $pair (@pairs) {
        $pair->[1] =~ s{/|::}{.}g;
        $pair->[1] .= '.' if $pair->[1] ne '';
    }
    return @pairs;
}

# Returns the subs of a class, and those of its parents that are the program's own.
sub rpcgi_public_subs {
    my ($class) = @_;
    my (@found, %seen);
    for my $each (Rpcgi::Harness::lineage($class)) {
        for my $sub (Rpcgi::Harness::subs_of($each)) {
            my $place = Rpcgi::Harness::place($sub);
            # What has been imported is another package's.
            next if $place->{constant} || $place->{name} !~ /^\Q$each\E::\w+\z/;
            next unless $each eq $class || Rpcgi::Harness::is_own($place->{file});
            push @found, $sub if $sub =~ /(\w+)\z/ && !$seen{$1}++;
        }
    }
    return @found;
}

# Returns the subs of a class that `dispatch_to` names, wherever they come from.
sub rpcgi_named_subs {
    my ($self, $class) = @_;
    my @names = map { /^\w+\z/ ? "main::$_" : $_ } grep { !ref } @{ $self->{to} };
    return grep { /^\Q$class\E::[A-Za-z]\w*\z/ && defined &$_ } @names;
}

# More names than are listed: those of patterns, and those that the program finds by itself.
sub rpcgi_serves_any {
    my ($self) = @_;
    my @targets = (@{ $self->{to} }, values %{ $self->dispatch_with });
    return $self->rpcgi_divides || grep { !ref && /[^\w:]/ || UNIVERSAL::can($_, 'AUTOLOAD') } @targets;
}

# Tests whether the program has a say in what names mean.
sub rpcgi_divides {
    my ($self) = @_;
    return $self->on_dispatch != \&rpcgi_divided;
}

sub rpcgi_notes {
    my ($self) = @_;
    my @own = grep { ref $self->{$_} && ref $self->{$_} ne 'XMLRPC::Serializer' } qw(serializer deserializer);
    my @notes = map { "the script's own $_ is not run: rpcgi reads and writes the documents" } @own;
    return (@{ $self->{notes} || [] }, @notes);
}

# Dates and booleans are text to XMLRPC::Lite.
sub rpcgi_argument {
    my ($self, $type, $value) = @_;
    return $value if $type ne 'base64';
    require MIME::Base64;
    return MIME::Base64::decode_base64($value);
}

# Returns a scalar as the type that XMLRPC::Lite sees in it: to it all that is not ASCII is octets. Decoded text stays
# text, which it could not write.
sub rpcgi_scalar {
    my ($self, $scalar) = @_;
    my $number = Rpcgi::Script::number($scalar);
    return $number if defined $number;
    return Rpcgi::Script::raw("{\"\$date\":\"$1-$2-$3$4\"}") if $scalar =~ $DATE;
    my $is_octets = $scalar =~ /[^\x09\x0a\x0d\x20-\x7f]/ && !utf8::is_utf8($scalar);
    return $is_octets ? Rpcgi::Script::raw(Rpcgi::Script::json_octets($scalar)) : "$scalar";
}

package XMLRPC::Transport::HTTP::CGI;
our @ISA = ('XMLRPC::Server');

package XMLRPC::Transport::HTTP::FCGI;
our @ISA = ('XMLRPC::Server');

package XMLRPC::Transport::TCP::Server;
our @ISA = ('XMLRPC::Server');

package XMLRPC::Transport::HTTP::Daemon;
our @ISA = ('XMLRPC::Server');
sub url { return 'http://localhost/' }

# A handler of mod_perl, where no call stands at the end of the file.
package XMLRPC::Transport::HTTP::Apache;
our @ISA = ('XMLRPC::Server');

sub new {
    my ($class) = @_;
    return $class if ref $class;
    Rpcgi::Script::give_up("$class is for mod_perl: XMLRPC::Transport::HTTP::CGI with ->handle in its place");
}

# Programs set the encoding and types of documents, which are rpcgi's.
package XMLRPC::Serializer;

sub new { return bless {}, shift }

sub AUTOLOAD {
    my ($self) = @_;
    return $self if our $AUTOLOAD !~ /::DESTROY\z/;
}

package XMLRPC::Deserializer;
our @ISA = ('XMLRPC::Serializer');

package SOAP::Serializer;
our @ISA = ('XMLRPC::Serializer');

package SOAP::Deserializer;
our @ISA = ('XMLRPC::Serializer');

# Classes that get the envelope of the request: `rpcgi_target` refuses them.
package XMLRPC::Server::Parameters;
our @ISA = ('SOAP::Server::Parameters');

package SOAP::Transport::HTTP::CGI;

sub AUTOLOAD {
    my ($class) = @_;
    Rpcgi::Script::give_up("$class speaks SOAP, and rpcgi does not: XMLRPC::Transport::HTTP::CGI in its place")
        if our $AUTOLOAD !~ /::DESTROY\z/;
}

package SOAP::Transport::HTTP::Daemon;
our @ISA = ('SOAP::Transport::HTTP::CGI');

# The client.
package SOAP::Lite;

our $VERSION = '1.27';

sub import { }

sub AUTOLOAD {
    my ($name) = our $AUTOLOAD =~ /(\w+)\z/;
    die "`$name` of SOAP::Lite or XMLRPC::Lite: a script gets the side of servers alone. To call another service, take "
        . "another client, such as RPC::XML::Client\n" if $name ne 'DESTROY';
}

package XMLRPC::Lite;
our @ISA = ('SOAP::Lite');
our $VERSION = '0.717';

package XMLRPC::Transport::HTTP;
our $VERSION = '0.717';

# ------------------------------------------------------------------------------------------------------------ Frontier

# A value of a type, which its class tells.
package Frontier::RPC2::DataType;

my %TYPES = (
    Boolean => 'boolean', Integer => 'int', Double => 'double', String => 'string', Base64 => 'encoded',
    'DateTime::ISO8601' => 'dateTime',
);

for my $name (keys %TYPES) {
    no strict 'refs';
    @{"Frontier::RPC2::${name}::ISA"} = (__PACKAGE__);
}

sub new {
    my ($class, $value) = @_;
    return bless \$value, $class;
}

sub value {
    my $self = shift;
    $$self = shift if @_;
    return $$self;
}
*repr = \&value;

sub rpcgi_typed {
    my ($self) = @_;
    my ($type) = grep { $self->isa("Frontier::RPC2::$_") } keys %TYPES;
    return (defined $type ? $TYPES{$type} : undef, $$self);
}

# Makes such values.
package Frontier::RPC2;

our $VERSION = '0.07';
my %MAKERS = (base64 => 'Base64', string => 'String', date_time => 'DateTime::ISO8601');
my %CHECKED = (boolean => ['Boolean', qr/^[01]\z/], int => ['Integer', $INTEGER], double => ['Double', $DOUBLE]);

sub new { return bless {}, shift }

for my $name (keys %MAKERS) {
    no strict 'refs';
    *{$name} = sub { return "Frontier::RPC2::$MAKERS{$name}"->new($_[1]) };
}

for my $name (keys %CHECKED) {
    my ($class, $form) = @{ $CHECKED{$name} };
    no strict 'refs';
    *{$name} = sub {
        my ($self, $value) = @_;
        return "Frontier::RPC2::$class"->new($value) if $value =~ $form;
        die "error in rendering RPC type `$value' not a $name\n";
    };
}

for my $name (qw(serve decode encode_call encode_response encode_fault)) {
    no strict 'refs';
    *{$name} = sub {
        Rpcgi::Script::give_up("`$name` of Frontier::RPC2: rpcgi reads and writes the documents. "
            . 'Frontier::Responder->new(methods => {..})->answer serves');
    };
}

package Frontier::Responder;

sub new {
    my ($class, %members) = @_;
    return bless { methods => $members{methods} || {} }, ref $class || $class;
}

sub add_method {
    my ($self, $name, $function) = @_;
    $self->{methods}{$name} = $function;
    return $self;
}

sub answer {
    my ($self) = @_;
    Rpcgi::Script::check_methods($self, __PACKAGE__, 'answer');
    return Rpcgi::Script::serve($self);
}

sub rpcgi_call {
    my ($self, $name, @args) = @_;
    my $function = $self->{methods}{$name} or Rpcgi::Script::unknown();
    @args = map { rpcgi_object($_) } @args if $self->{use_objects};
    return scalar $function->(@args);
}

# Returns an argument with objects for the numbers and texts in it.
sub rpcgi_object {
    my ($value) = @_;
    return [map { rpcgi_object($_) } @$value] if ref $value eq 'ARRAY';
    return { map { ($_ => rpcgi_object($value->{$_})) } keys %$value } if ref $value eq 'HASH';
    return $value if ref $value || !defined $value;
    my ($is_integer, $is_double, $is_string) = Rpcgi::Harness::flags_of(\$value);
    return Frontier::RPC2::String->new($value) if $is_string;
    return $is_integer ? Frontier::RPC2::Integer->new($value) : $value;
}

sub rpcgi_functions {
    my ($self) = @_;
    return map { [$_, $self->{methods}{$_}] } sort keys %{ $self->{methods} };
}

sub rpcgi_serves_any { return 0 }
sub rpcgi_notes { return }

# Of these there are always objects, which have the text of the document.
sub rpcgi_argument {
    my ($self, $type, $value) = @_;
    my %classes = (boolean => 'Boolean', base64 => 'Base64', dateTime => 'DateTime::ISO8601');
    return "Frontier::RPC2::$classes{$type}"->new($value);
}

sub rpcgi_scalar {
    my ($self, $scalar) = @_;
    my $number = Rpcgi::Script::number($scalar);
    return defined $number ? $number : "$scalar";
}

# A server that listens by itself, and serves as soon as it is made.
package Frontier::Daemon;
our @ISA = ('Frontier::Responder');

sub new {
    my ($class, %members) = @_;
    my $self = Frontier::Responder::new($class, %members);
    $self->{use_objects} = $members{use_objects};
    Rpcgi::Script::serve($self);
    return $self;
}

package Rpcgi::Script;

$INC{$_} = 'rpcgi' for qw(SOAP/Lite.pm SOAP/Data.pm SOAP/Fault.pm SOAP/Transport/HTTP.pm XMLRPC/Lite.pm
    XMLRPC/Transport/HTTP.pm XMLRPC/Transport/TCP.pm Frontier/RPC2.pm Frontier/Responder.pm Frontier/Daemon.pm);
