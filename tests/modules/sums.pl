# The same functions in every language.
use strict;
use warnings;
use utf8;
use Time::Seconds;

package NoBike { sub new { bless { code => 42, message => $_[1] }, $_[0] } sub code { $_[0]{code} } sub message { $_[0]{message} } }

=head2 add

Adds two numbers.

The second is five if it is left out.

=cut

sub add { my ($a, $b) = @_; $b //= 5; $a + $b }

# Halves a number.
sub half { my ($x) = @_; $x / 2 }

# Greets somebody.
sub greet {
    my ($name) = @_;
    return "Hello, $name!";
}

# Tests whether a number is even.
sub is_even { my ($n) = @_; $n % 2 == 0 }

# Does nothing.
sub nothing { return }

# Returns the same time one day later.
sub next_day { my ($day) = @_; $day + ONE_DAY }

# Returns octets in reverse.
sub turn { my ($octets) = @_; scalar reverse $octets }

# Lists squares.
sub squares { my ($n) = @_; [map { $_ * $_ } 1 .. $n] }

# Adds many numbers.
sub total { my ($numbers) = @_; my $sum = 0; $sum += $_ for @$numbers; $sum }

# Makes a point.
sub point { my ($x, $y) = @_; { x => $x, y => $y } }

# Swaps the sides of a point.
sub swap { my ($point) = @_; { x => $point->{y}, y => $point->{x} } }

# Returns how long each word is.
sub lengths { my ($words) = @_; +{ map { $_ => length } @$words } }

# Returns what it gets.
sub same { my ($value) = @_; $value }

# Fails for a reason that callers know.
sub fail { die NoBike->new("no bikes left") }

# Fails for a reason of its own.
sub crash { die "secret" }

# Prints something.
sub say { print "something to log\n"; 1 }

# Returns a number beyond the doubles.
sub big { 9007199254740993 }

# Counts characters.
sub count { my ($text) = @_; length $text }

# Returns what it was called with.
sub three { my ($a, $b, $c) = @_; [$a // 1, $b // 2, $c // 3] }

# Greets the caller.
sub who { my ($greeting, $request) = @_; "$greeting, $request->{remote_addr}" }

sub _hidden { 1 }

1;
