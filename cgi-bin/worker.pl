use IO::Handle;
use JSON::PP;
my %methods = ("perl.add" => sub { $_[0] + $_[1] }, "perl.greet" => sub { "Hello, $_[0]!" });
open(my $answers, ">&", \*STDOUT) or die $!;
open(STDOUT, ">&", \*STDERR) or die $!; # a stray print goes to the log
$answers->autoflush(1);
while (my $line = <STDIN>) {
    my $call = decode_json($line);
    my %answer = (jsonrpc => "2.0", id => $call->{id});
    my $answer = eval {
        my $text = encode_json({ %answer, result => scalar $methods{$call->{method}}->(@{$call->{params}}) });
        decode_json($text); # "inf" is no JSON
        $text;
    };
    if (!defined $answer) {
        print STDERR $@;
        $answer = encode_json({ %answer, error => { code => -32603, message => "internal error" } });
    }
    print $answers "$answer\n";
}
