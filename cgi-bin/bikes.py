"""Bikes for rent. Each public function is a method of the service: nothing in this file knows of rpcgi."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class Bike:
    """A bike.

    Attributes:
        number: stands on its frame
        name: what people call it
        price: of an hour
    """

    number: int
    name: str
    price: float


class NoSuchBike(Exception):
    code = 404


_bikes = {bike.number: bike for bike in [Bike(1, "Red Baron", 4.5), Bike(2, "Old Faithful", 2.0), Bike(3, "Tandem", 7.0)]}


def bikes(below: float = None) -> list[Bike]:
    """Lists the bikes.

    :param below: leaves out those whose hour costs as much, or more
    """
    return [bike for bike in _bikes.values() if below is None or bike.price < below]


def price(number: int, hours: int = 1) -> float:
    """Tells what it costs to rent a bike.

    The fifth hour of a day is free.

    :param number: of the bike
    :param hours: how long, in hours
    :raises NoSuchBike: there is no bike of this number
    """
    return _bike(number).price * (hours - hours // 5)


def due(start: datetime, hours: int) -> datetime:
    """Tells when a bike has to be back."""
    return start + timedelta(hours=hours)


def _bike(number):
    if number not in _bikes:
        raise NoSuchBike(f"there is no bike {number}")
    return _bikes[number]
