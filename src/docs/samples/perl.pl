use utf8;
use HTTP::Tiny;
use JSON::PP;
{{basic}}use MIME::Base64;

my $call = {{call}};
{{basic}}my $login = encode_base64($ENV{LOGIN}, '');
my $answer = HTTP::Tiny->new->post({{url}}, {
{{open}}    headers => { 'Content-Type' => 'application/json' },
{{auth}}    headers => {
{{auth}}        'Content-Type' => 'application/json',
{{bearer}}        Authorization => "Bearer $ENV{TOKEN}",
{{basic}}        Authorization => "Basic $login",
{{auth}}    },
    content => encode_json($call),
});
print $answer->{content};
