use utf8;
use HTTP::Tiny;
use JSON::PP;

my $call = {{call}};
my $answer = HTTP::Tiny->new->post({{url}}, {
    headers => { 'Content-Type' => 'application/json' },
    content => encode_json($call),
});
print $answer->{content};
