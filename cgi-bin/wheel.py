"""Spins a roulette wheel: once, a line for each thing to know, or several times, as JSON."""

import json
import random
import sys

RED = {1, 3, 5, 7, 9, 12, 14, 16, 18, 19, 21, 23, 25, 27, 30, 32, 34, 36}


def spin():
    pocket = random.SystemRandom().choice(["00", *map(str, range(37))])
    if pocket in ("0", "00"):
        return [pocket, "GREEN", "ZERO", "ZERO"]
    number = int(pocket)
    colour = "RED" if number in RED else "BLACK"
    return [pocket, colour, "ODD" if number % 2 else "EVEN", "LOW" if number <= 18 else "HIGH"]


if len(sys.argv) == 1:
    print("\n".join(spin()))
else:
    print(json.dumps([spin() for _ in range(int(sys.argv[1]))]))
