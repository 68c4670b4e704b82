"""Writes the logs beside it, the same ones every time: python3 inputs/make.py"""

import random
from pathlib import Path

LOGS = {  # name: lines, clients, largest answer in bytes
    "morning": (400, 250, 40_000),
    "noon": (700, 600, 60_000),
    "afternoon": (900, 800, 60_000),
    "evening": (1200, 1100, 90_000),
    "night": (500, 100, 40_000),
    "campaign": (1600, 1500, 40_000),
    "crawlers": (1300, 60, 20_000),
    "holiday": (1800, 1700, 60_000),
    "mirror": (1000, 900, 3_000_000_000),
    "outage": (1400, 1300, 20_000),
}


def line(rng, names, most):
    status = rng.choices((200, 304, 404, 500), (80, 10, 7, 3))[0]
    amount = "-" if status == 304 else rng.randrange(most)
    return f"{rng.choice(names)} {status} {amount} /{rng.choice('abcd') * rng.randrange(1, 20)}"


for seed, (name, (lines, clients, most)) in enumerate(LOGS.items()):
    rng = random.Random(seed)
    names = [f"{rng.choice(('Host', 'host'))}-{number}.example" for number in rng.sample(range(100_000), clients)]
    text = "".join(line(rng, names, most) + "\n" for _ in range(lines))
    Path(__file__).with_name(f"{name}.log").write_text(text)
