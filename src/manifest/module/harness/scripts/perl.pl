# The stand-in for the servers of XMLRPC::Lite and Frontier::RPC: programs that use them run as they are. Stands before
# the harness.
use strict;

package Rpcgi::Script;

# The server that the program has asked to serve, and whether the input has come to its end.
my ($server, $is_over);

# What of an element of `dispatch_to` looks like a folder.
my $FOLDER = qr{[/\\]|^\.};
my $INT = qr/^[+-]?\d+\z/;
my $DOUBLE = qr/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d+)?\z/;
my $DATE = qr/^(\d{4})(\d\d)(\d\d)(T\d\d:\d\d:\d\d)\z/;

# Runs the file as the program that it is, up to its end.
sub run {
    my ($file) = @_;
    $ENV{REQUEST_METHOD} = 'POST';
    $ENV{GATEWAY_INTERFACE} = 'CGI/1.1';
    $0 = $file;
    return if eval { Rpcgi::Harness::run_file($file); 1 } && $server;
    die $@ if $server;
    Rpcgi::Harness::broken($@ || 'the script has ended without serving: it never called `handle` or `answer`. If it '
        . "answers requests by itself, as = \"module\" takes its functions\n");
}

# Answers calls by a server of the program's, until there are no more.
sub serve {
    CORE::exit(0) if $is_over;
    $server = $_[0];
    Rpcgi::Harness::converse();
    $is_over = 1;
    return '';
}

# Calls what a name stands for. Of several results the first is the one that callers see.
sub call {
    my ($name, @args) = @_;
    my ($function, @first) = $server->rpcgi_target($name);
    die bless [], 'Rpcgi::Harness::Unknown' unless $function;
    my ($result) = $function->(@first, @args);
    return written($result, 0);
}

# Returns what the program says of its service.
sub about {
    return { any => $server->rpcgi_serves_any ? \1 : \0 };
}

# Returns pairs of what it serves: a name, and PACKAGE::NAME of the sub if that has one.
sub names {
    return $server->rpcgi_names;
}

# Returns what a boolean, and the tag of a date or of octets, is to its functions.
sub boolean {
    return $server->isa('Frontier::Responder') ? Frontier::RPC2::Boolean->new($_[0]) : $_[0];
}

sub untagged {
    my ($tag, $value) = @_;
    my $is_frontier = $server->isa('Frontier::Responder');
    if ($tag eq '$date') {
        $value =~ s/\..*//;
        $value =~ tr/-//d;
        return $is_frontier ? Frontier::RPC2::DateTime::ISO8601->new($value) : $value;
    }
    return Frontier::RPC2::Base64->new($value) if $is_frontier;
    require MIME::Base64;
    return MIME::Base64::decode_base64($value);
}

# Returns a result as the libraries see it: text that looks like a number is one, and objects say what they are.
sub written {
    my ($value, $depth) = @_;
    return $value if !defined $value || $depth > 250;
    my $class = ref $value;
    return [map { written($_, $depth + 1) } @$value] if $class eq 'ARRAY';
    return { map { ($_ => written($value->{$_}, $depth + 1)) } keys %$value } if $class eq 'HASH';
    return of_type($value->rpcgi_type, $value->value, $depth) if $class && $value->can('rpcgi_type');
    return $class || $value =~ /[^\x20-\x7e]/ ? $value : guessed($value);
}

# Returns a scalar as the type that it looks like.
sub guessed {
    my ($text) = @_;
    return 0 + $text if $text =~ $INT && abs $text < 2**63;
    return raw($text) if $text =~ $DOUBLE && $text !~ $INT && $text =~ /^-?(?:0|[1-9]\d*)(?:\.\d+)?\z/;
    return 0 + $text if $text =~ $DOUBLE && $text !~ $INT;
    return $text =~ $DATE ? raw("{\"\$date\":\"$1-$2-$3$4\"}") : "$text";
}

# Returns a value of a type that its object tells.
sub of_type {
    my ($type, $value, $depth) = @_;
    return written($value, $depth + 1) if !defined $type || ref $value;
    return int $value if $type =~ /^(?:int|i4|i8)\z/;
    return raw($value ? 'true' : 'false') if $type eq 'boolean';
    return raw(Rpcgi::Harness::json_double(0.0 + $value)) if $type eq 'double';
    return raw(Rpcgi::Harness::json_octets($value)) if $type eq 'base64';
    return guessed($value) if $type =~ /^dateTime/;
    return "$value";
}

# Returns a text of JSON, to be written as it stands.
sub raw {
    my ($json) = @_;
    return bless \$json, 'Rpcgi::Harness::Json';
}

# Ends with a sentence on what cannot be done.
sub give_up {
    Rpcgi::Harness::broken("$_[0]\n");
}

# ------------------------------------------------------------------------------------------------ SOAP and XMLRPC::Lite

package SOAP::Data;

sub new {
    my ($class, %members) = @_;
    return $class if ref $class;
    return bless {%members}, $class;
}

# Each is a setter where a value follows, and makes an object where there is none yet.
for my $member (qw(name type value attr uri prefix)) {
    no strict 'refs';
    *{$member} = sub {
        my $self = shift;
        return $self->{$member} if ref $self && !@_;
        $self = $self->new unless ref $self;
        $self->{$member} = shift;
        $self->{value} = shift if @_ && $member =~ /^(?:name|type)\z/;
        return $self;
    };
}

sub rpcgi_type { return $_[0]{type} }

package XMLRPC::Data;
our @ISA = ('SOAP::Data');

package SOAP::Fault;

sub new {
    my ($class, %members) = @_;
    return ref $class ? $class : bless {%members}, $class;
}

for my $member (qw(faultcode faultstring faultdetail faultactor)) {
    no strict 'refs';
    *{$member} = sub {
        my $self = shift;
        return $self->{$member} if ref $self && !@_;
        $self = $self->new unless ref $self;
        $self->{$member} = shift;
        return $self;
    };
}

# Where its code is a number, it is the caller's.
sub code { return defined $_[0]{faultcode} && $_[0]{faultcode} =~ /^-?\d+\z/ ? $_[0]{faultcode} : 1 }
sub message { return defined $_[0]{faultstring} ? $_[0]{faultstring} : 'Application error' }

package XMLRPC::Server;

sub new {
    my $class = shift;
    return ref $class ? $class : bless { to => [], with => {} }, $class;
}

sub dispatch_to {
    my $self = shift->new;
    return @{ $self->{to} } unless @_;
    $self->{to} = [@_];
    return $self;
}

sub dispatch_with {
    my $self = shift->new;
    return $self->{with} unless @_;
    $self->{with} = shift;
    return $self;
}

# What rpcgi does by itself, or has no use for.
for my $ignored (qw(options serializer deserializer on_action transport objects_by_reference compress soapversion
    encoding ns default_ns url)) {
    no strict 'refs';
    *{$ignored} = sub { my $self = shift->new; return $self };
}

sub on_dispatch {
    Rpcgi::Script::give_up('`on_dispatch` reads the envelope, and rpcgi has read it: name the packages in dispatch_to');
}

sub handle {
    my $self = shift->new;
    if (my ($folder) = grep { !ref && $_ =~ $FOLDER } @{ $self->{to} }) {
        Rpcgi::Script::give_up("dispatch_to('$folder') would load modules of a folder by name of the caller: "
            . 'name the packages instead');
    }
    return Rpcgi::Script::serve($self);
}

# Returns the sub that a name stands for, and the class or object that is its first argument.
sub rpcgi_target {
    my ($self, $name) = @_;
    my ($path, $method) = $name =~ /^(?:(.*)\.)?(\w+)\z/ or return;
    return if UNIVERSAL->can($method);
    $path = '' unless defined $path;
    (my $class = $path) =~ s/\./::/g;
    $class = 'main' if $class eq '';
    return unless $class =~ /^\w[\w:]*\z/;
    (my $uri = $path) =~ s{\.}{/}g;
    my $target = $self->{with}{$uri};
    for my $each (defined $target ? () : @{ $self->{to} }) {
        if (ref $each) {
            $target = $each if ref $each eq $class;
        }
        elsif ($class =~ /^$each\z/ || "${class}::$method" =~ /^$each\z/ || $class eq 'main' && $method =~ /^$each\z/) {
            $target = $class;
        }
        last if defined $target;
    }
    return unless defined $target;
    if (!ref $target && $target ne 'main' && !$target->can($method)) {
        eval "require $target; 1" or return;
    }
    Rpcgi::Script::give_up("the class $target is a SOAP::Server::Parameters, which gets the envelope: rpcgi has none")
        if UNIVERSAL::isa($target, 'SOAP::Server::Parameters');
    my $function = $target eq 'main' ? main->can($method) : $target->can($method);
    return $function ? ($function, $target) : ();
}

# Returns names and subs: of packages and objects the public subs, of methods themselves.
sub rpcgi_names {
    my ($self) = @_;
    my @found;
    for my $each (@{ $self->{to} }) {
        my $class = ref $each || $each;
        push @found, $class =~ /^\w+\z/ && main->can($class) ? [$class, "main::$class"]
            : $class =~ /^(\w[\w:]*)::(\w+)\z/ && $1->can($2) ? [dotted($1) . ".$2", "$1::$2"]
            : $class =~ /^\w[\w:]*\z/ ? of_package($class, dotted($class) . '.') : ();
    }
    for my $uri (sort keys %{ $self->{with} }) {
        (my $prefix = $uri) =~ s{/}{.}g;
        push @found, of_package(ref $self->{with}{$uri} || $self->{with}{$uri}, "$prefix.");
    }
    return @found;
}

sub dotted {
    my ($class) = @_;
    $class =~ s/::/./g;
    return $class;
}

# Returns the public subs of a package, in which `main` has no name.
sub of_package {
    my ($class, $prefix) = @_;
    my %seen;
    my @subs = grep { /(\w+)\z/ && !$seen{$1}++ && Rpcgi::Harness::is_own(Rpcgi::Harness::place($_)->{file}) }
        map { Rpcgi::Harness::subs_of($_) } Rpcgi::Harness::lineage($class);
    $prefix = '' if $class eq 'main';
    return map { /(\w+)\z/ ? ["$prefix$1", $_] : () } @subs;
}

# Patterns may be for more names than can be listed.
sub rpcgi_serves_any {
    my ($self) = @_;
    return scalar grep { !ref && /[^\w:]/ } @{ $self->{to} };
}

package XMLRPC::Transport::HTTP::CGI;
our @ISA = ('XMLRPC::Server');

package XMLRPC::Transport::HTTP::Daemon;
our @ISA = ('XMLRPC::Server');
sub url { return 'http://localhost/' }

package XMLRPC::Transport::HTTP::FCGI;
our @ISA = ('XMLRPC::Server');

# ------------------------------------------------------------------------------------------------------------ Frontier

package Frontier::RPC2::DataType;

sub new {
    my ($class, $value) = @_;
    return bless \$value, $class;
}

sub value { return ${ $_[0] } }
sub repr { return ${ $_[0] } }

package Frontier::RPC2::Boolean;
our @ISA = ('Frontier::RPC2::DataType');
sub rpcgi_type { return 'boolean' }

package Frontier::RPC2::Integer;
our @ISA = ('Frontier::RPC2::DataType');
sub rpcgi_type { return 'int' }

package Frontier::RPC2::Double;
our @ISA = ('Frontier::RPC2::DataType');
sub rpcgi_type { return 'double' }

package Frontier::RPC2::String;
our @ISA = ('Frontier::RPC2::DataType');
sub rpcgi_type { return 'string' }

package Frontier::RPC2::DateTime::ISO8601;
our @ISA = ('Frontier::RPC2::DataType');
sub rpcgi_type { return 'dateTime.iso8601' }

package Frontier::RPC2::Base64;
our @ISA = ('Frontier::RPC2::DataType');
sub rpcgi_type { return 'base64' }

# Its text is encoded.
sub value {
    require MIME::Base64;
    return MIME::Base64::decode_base64(${ $_[0] });
}

# Makes values of a type.
package Frontier::RPC2;

sub new { return bless {}, shift }
sub boolean { return Frontier::RPC2::Boolean->new($_[1]) }
sub int { return Frontier::RPC2::Integer->new($_[1]) }
sub double { return Frontier::RPC2::Double->new($_[1]) }
sub float { return Frontier::RPC2::Double->new($_[1]) }
sub string { return Frontier::RPC2::String->new($_[1]) }
sub date_time { return Frontier::RPC2::DateTime::ISO8601->new($_[1]) }
sub base64 { return Frontier::RPC2::Base64->new($_[1]) }

sub serve {
    Rpcgi::Script::give_up('`serve` gets a request that the script has read by itself, and rpcgi has read it: '
        . 'Frontier::Responder->new(methods => {..})->answer');
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

sub answer { return Rpcgi::Script::serve($_[0]) }

sub rpcgi_target {
    my ($self, $name) = @_;
    my $function = $self->{methods}{$name};
    return defined $function ? $function : ();
}

sub rpcgi_names {
    my ($self) = @_;
    require B;
    return map { [$_, sub_name($self->{methods}{$_})] } sort keys %{ $self->{methods} };
}

# Returns PACKAGE::NAME of a sub, if it has a name.
sub sub_name {
    my $glob = B::svref_2object($_[0])->GV;
    return $glob->NAME eq '__ANON__' ? undef : $glob->STASH->NAME . '::' . $glob->NAME;
}

sub rpcgi_serves_any { return 0 }

# A server that listens by itself.
package Frontier::Daemon;
our @ISA = ('Frontier::Responder');

sub new {
    my ($class, %members) = @_;
    my $self = Frontier::Responder::new($class, %members);
    Rpcgi::Script::serve($self);
    return $self;
}

package Rpcgi::Script;

$INC{$_} = 'rpcgi' for qw(SOAP/Lite.pm SOAP/Data.pm SOAP/Fault.pm SOAP/Transport/HTTP.pm XMLRPC/Lite.pm
    XMLRPC/Transport/HTTP.pm Frontier/RPC2.pm Frontier/Responder.pm Frontier/Daemon.pm);
