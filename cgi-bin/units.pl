# Lengths in other units: each sub is a method of the service.
use strict;
use warnings;

my %metres = (m => 1, km => 1000, foot => 0.3048, mile => 1609.344);

=head2 convert

Converts a length.

C<from> and C<to> are one of C<m>, C<km>, C<foot>, C<mile>.

=cut

sub convert {
    my ($length, $from, $to) = @_;
    for my $unit ($from, $to) {
        die { code => 1, message => "there is no unit $unit" } unless $metres{$unit};
    }
    return $length * $metres{$from} / $metres{$to};
}

=head2 units

Lists the units.

=cut

sub units { return [sort keys %metres] }

1;
