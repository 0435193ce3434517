use JSON::PP;
$| = 1;
my %methods = ("perl.add" => sub { $_[0] + $_[1] }, "perl.greet" => sub { "Hello, $_[0]!" });
while (my $line = <STDIN>) {
    my $call = decode_json($line);
    my $result = eval { $methods{$call->{method}}->(@{$call->{params}}) };
    my @answer = $@ ? (error => { code => 1, message => "$@" }) : (result => $result);
    print encode_json({ jsonrpc => "2.0", id => $call->{id}, @answer }), "\n";
}
