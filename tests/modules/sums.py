"""The same functions in every language."""

from datetime import datetime, timedelta
from typing import Any

import sys


class NoBike(Exception):
    code = 42


def add(a: int, b: int = 5) -> int:
    """Adds two numbers.

    The second is five if it is left out.

    >>> add(2, 3)
    5
    >>> add(2, b=40)
    42

    :param a: the first number
    :param b: the second number
    :return: the sum
    """
    return a + b


def half(x: float) -> float:
    """Halves a number."""
    return x / 2


def greet(name: str) -> str:
    """Greets somebody."""
    return f"Hello, {name}!"


def is_even(n: int) -> bool:
    """Tests whether a number is even."""
    return n % 2 == 0


def nothing() -> None:
    """Does nothing."""


def next_day(day: datetime) -> datetime:
    """Returns the same time one day later."""
    return day + timedelta(days=1)


def turn(octets: bytes) -> bytes:
    """Returns octets in reverse."""
    return octets[::-1]


def squares(n: int) -> list[int]:
    """Lists squares."""
    return [i * i for i in range(1, n + 1)]


def total(numbers: list[int]) -> int:
    """Adds many numbers."""
    return sum(numbers)


def point(x: int, y: int) -> dict:
    """Makes a point."""
    return {"x": x, "y": y}


def swap(point: dict) -> dict:
    """Swaps the sides of a point."""
    return {"x": point["y"], "y": point["x"]}


def lengths(words: list[str]) -> dict[str, int]:
    """Returns how long each word is."""
    return {word: len(word) for word in words}


def same(value: Any) -> Any:
    """Returns what it gets."""
    return value


def fail():
    """Fails for a reason that callers know.

    :raises NoBike: no bikes left
    """
    raise NoBike("no bikes left")


def crash():
    """Fails for a reason of its own."""
    raise ValueError("secret")


def say() -> int:
    """Prints something."""
    print("something to log")
    return 1


def big() -> int:
    """Returns a number beyond the doubles."""
    return 9007199254740993


def count(text: str) -> int:
    """Counts characters."""
    return len(text)


def three(a: int = 1, b: int = 2, c: int = 3) -> list[int]:
    """Returns what it was called with."""
    return [a, b, c]


def who(greeting: str, request) -> str:
    """Greets the caller."""
    return f"{greeting}, {request['remote_addr']}"


def _hidden():
    return 1
