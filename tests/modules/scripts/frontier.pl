#!/usr/bin/perl
# Sums, as Frontier::Responder serves them.
use strict;
use warnings;
use Frontier::Responder;
use Frontier::RPC2;

my $coder = Frontier::RPC2->new;

# Adds two numbers.
sub add {
    my ($first, $second) = @_;
    return $first + $second;
}

my $responder = Frontier::Responder->new(methods => {
    add => \&add,
    'sums.square' => sub { return $_[0]**2 },
    flags => sub { return [map { ref } @_] },
    back => sub { return $_[0] },
    text => sub { return $coder->string('007') },
});
print $responder->answer;
