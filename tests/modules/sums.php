<?php
// The same functions in every language.

class NoBike extends Exception {}

/**
 * Adds two numbers.
 *
 * The second is five if it is left out.
 *
 * @example add(2, 3) // 5
 * @param int $a the first number
 * @param int $b the second number
 * @return int the sum
 */
function add(int $a, int $b = 5): int
{
    return $a + $b;
}

/** Halves a number. */
function half(float $x): float
{
    return $x / 2;
}

/** Greets somebody. */
function greet(string $name): string
{
    return "Hello, $name!";
}

/** Tests whether a number is even. */
function is_even(int $n): bool
{
    return $n % 2 == 0;
}

/** Does nothing. */
function nothing(): void
{
}

/** Returns the same time one day later. */
function next_day(DateTimeImmutable $day): DateTimeImmutable
{
    return $day->modify('+1 day');
}

/** Returns octets in reverse. */
function turn(string $octets): string
{
    return strrev($octets);
}

/**
 * Lists squares.
 *
 * @return int[]
 */
function squares(int $n): array
{
    return array_map(fn ($i) => $i * $i, range(1, $n));
}

/**
 * Adds many numbers.
 *
 * @param list<int> $numbers
 */
function total(array $numbers): int
{
    return array_sum($numbers);
}

/**
 * Makes a point.
 *
 * @return array{x: int, y: int}
 */
function point(int $x, int $y): array
{
    return ['x' => $x, 'y' => $y];
}

/**
 * Swaps the sides of a point.
 *
 * @param array{x: int, y: int} $point
 */
function swap(array $point): array
{
    return ['x' => $point['y'], 'y' => $point['x']];
}

/**
 * Returns how long each word is.
 *
 * @param string[] $words
 * @return array<string, int>
 */
function lengths(array $words): array
{
    return array_combine($words, array_map('iconv_strlen', $words));
}

/** Returns what it gets. */
function same($value)
{
    return $value;
}

/**
 * Fails for a reason that callers know.
 */
function fail()
{
    throw new NoBike('no bikes left', 42);
}

/** Fails for a reason of its own. */
function crash()
{
    throw new ValueError('secret');
}

/** Prints something. */
function say(): int
{
    echo "something to log\n";
    return 1;
}

/** Returns a number beyond the doubles. */
function big(): int
{
    return 9007199254740993;
}

/** Counts characters. */
function count_text(string $text): int
{
    return iconv_strlen($text);
}

/**
 * Returns what it was called with.
 *
 * @return int[]
 */
function three(int $a = 1, int $b = 2, int $c = 3): array
{
    return [$a, $b, $c];
}

/** Greets the caller. */
function who(string $greeting, $request): string
{
    return "$greeting, {$request->remote_addr}";
}

function _hidden()
{
    return 1;
}
