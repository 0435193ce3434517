# Perl's RPC::XML against the interop example; the URL is the only argument.
use strict;
use warnings;
use utf8;
use RPC::XML;
use RPC::XML::Client;

$RPC::XML::ALLOW_NIL = 1;
$RPC::XML::ENCODING = 'utf-8';
my $client = RPC::XML::Client->new($ARGV[0]);
# answers in deflate, which is what this client asks for
$client->compress_requests(1);
$client->compress_thresh(500);

sub call {
    my ($method, @params) = @_;
    my $response = $client->send_request($method, @params);
    ref $response or die "$method: $response\n";
    return $response;
}

sub same {
    my ($found, $expected) = @_;
    $found eq $expected or die "found '$found', expected '$expected'\n";
}

same(call('add', RPC::XML::int->new(2), RPC::XML::int->new(3))->value, 5);
same(call('examples.stringecho', RPC::XML::string->new('a <b> & c'))->value, 'a <b> & c');
my $text = 'the same again ' x 1000;
same(call('interopEchoTests.echoString', RPC::XML::string->new($text))->value, $text);
my $stooges = { moe => RPC::XML::int->new(1), larry => RPC::XML::int->new(2), curly => RPC::XML::int->new(3) };
same(call('validator1.easyStructTest', $stooges)->value, 6);
same(call('validator1.arrayOfStructsTest', [$stooges, $stooges])->value, 6);
same(ref call('interopEchoTests.echoDate', RPC::XML::datetime_iso8601->new('19980717T14:08:55')), 'RPC::XML::datetime_iso8601');
same(call('interopEchoTests.echoDate', RPC::XML::datetime_iso8601->new('19980717T14:08:55'))->value, '19980717T14:08:55');
same(call('interopEchoTests.echoBase64', RPC::XML::base64->new("\0\xFF" x 100))->value, "\0\xFF" x 100);
same(call('interopEchoTests.echoFloat', RPC::XML::double->new(1.5))->value, 1.5);
same(call('interopEchoTests.echoBoolean', RPC::XML::boolean->new(1))->value, 1);
same(ref call('interopEchoTests.echoValue', RPC::XML::nil->new), 'RPC::XML::nil');
my $fault = call('fault');
$fault->is_fault or die "no fault\n";
same($fault->code, 123);
same($fault->string, 'The fault procedure is faulty.');
same(call('nothing')->code, -32601);
my $signatures = call('system.methodSignature', 'wheel.spinList')->value;
same(join(' ', map { join ',', @$_ } @$signatures), 'array array,int');
my $multi = call('system.multicall', [
    { methodName => 'add', params => [ RPC::XML::int->new(1), RPC::XML::int->new(1) ] },
    { methodName => 'fault', params => [] },
])->value;
same($multi->[0][0], 2);
same($multi->[1]{faultCode}, 123);
print "perl: all answers as expected\n";
