<?php

// When the sea is high: each public function is a method of the service.

/** The time between two high tides, in minutes. */
const PERIOD = 745;

class NoTide extends Exception {}

/**
 * Lists the high tides that follow one.
 *
 * @param DateTimeImmutable $high the time of a high tide
 * @param int<1, 100> $count how many
 * @return list<DateTimeImmutable>
 */
function high_tides(DateTimeImmutable $high, int $count = 4): array
{
    return array_map(fn (int $number) => $high->modify('+' . $number * PERIOD . ' minutes'), range(1, $count));
}

/**
 * Tells how high the sea is.
 *
 * @param array{high: float, low: float} $heights of the sea at high and at low tide, in metres
 * @param int $minutes since the last high tide
 * @throws NoTide where low is higher than high
 */
function height(array $heights, int $minutes): float
{
    ['high' => $high, 'low' => $low] = $heights;
    if ($low > $high) {
        throw new NoTide('low tide is higher than high tide', 1);
    }
    return round(($high + $low) / 2 + ($high - $low) / 2 * cos(2 * M_PI * $minutes / PERIOD), 2);
}
