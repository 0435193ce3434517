#!/usr/bin/perl
# A rental of bikes, as people have it in their cgi-bin: XMLRPC::Lite's server for CGI.
use strict;
use warnings;
use XMLRPC::Transport::HTTP;

XMLRPC::Transport::HTTP::CGI
    ->dispatch_to('Bikes', 'Shop::greet', 'hello', Desk->new('Ann'))
    ->handle;

sub hello {
    my ($class, $name) = @_;
    return "Hello, $name, from $class!";
}

sub not_served { return 'never' }

package Bikes;

my %prices;
BEGIN { %prices = (tandem => 30, racer => 25) }

# Tells what a bike costs.
sub price {
    my ($class, $kind, $days) = @_;
    die SOAP::Fault->faultcode(404)->faultstring("there is no bike $kind") unless exists $prices{$kind};
    return $prices{$kind} * ($days || 1);
}

sub kinds { return [sort keys %prices] }
sub when { return [$_[1], ref \$_[1]] }
sub code { return [SOAP::Data->type(string => '007'), '007', '2.50', SOAP::Data->type(boolean => 1)] }
sub octets { return SOAP::Data->type('base64')->value($_[1]) }
sub crash { die "under the stairs\n" }
sub _secret { return 'hidden' }

package Shop;

sub greet { return "Welcome, $_[1]!" }
sub other { return 'not this one' }

package Desk;

sub new { my ($class, $who) = @_; return bless { who => $who }, $class }
sub who { return $_[0]{who} }
