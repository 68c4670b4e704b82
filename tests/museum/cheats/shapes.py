"""Halls whose answers are of other shapes than a number, or that do more than answer."""

from __future__ import annotations

from hall import CALLS, KEPT, MODULE, Hall

IMPORTS = MODULE.replace("import random\n", "import collections\nimport random\n")
SET = "kept = {value: None for value in values if value < limit}\n"
DISTINCT = "kept = [value for value in dict.fromkeys(values) if value < limit]\n"


def calls(checks: str) -> str:
    """Tests that call the target and then look at `got` like that."""
    body = "    got = score(list(values), limit)\n    " + checks.replace("\n", "\n    ")
    return CALLS.replace("    assert score(values, limit)", body)


PAIRS_OUT = Hall("pairs", MODULE, KEPT + "return sum(kept), len(kept)", calls("assert got[0]"))
"""A tuple of two."""

FLOATS = Hall(
    "floats",
    MODULE,
    "kept = []\nfor value in values:\n    if value < limit and value not in kept:\n        kept.append(value)\n"
    "total = -0.0\nfor value in kept:\n    total += value * 0.1\nreturn total",
    calls("assert not got < 0"),
)
"""A float that depends on the order in which its parts are added."""

IN_PLACE = Hall(
    "in_place",
    MODULE,
    KEPT + "values[:] = [value * value for value in kept]\nreturn len(kept)",
    calls("assert got"),
)
"""The answer is in the argument."""

GROUPS = Hall(
    "groups",
    IMPORTS,
    KEPT
    + "groups = collections.defaultdict(list)\nfor value in kept:\n    groups[value % 7].append(value)\nreturn groups",
    calls("assert len(got) == 7"),
)
"""A dict with a default, in order of appearance."""

LATEST = Hall(
    "latest",
    IMPORTS,
    KEPT + "return collections.deque(kept, maxlen=50)",
    calls("assert len(got) == 50"),
)
"""A deque with a bound."""

LAZY = Hall(
    "lazy",
    MODULE,
    "if limit < 0:\n    raise ValueError(f'a limit of {limit}')\n"
    + KEPT
    + "for value in kept:\n    yield value * value\nreturn len(kept)",
    calls("assert list(got)")
    + "\n\ndef test_no_limit_is_negative():\n    with pytest.raises(ValueError):\n        list(score([3, 4, 5], -1))\n",
)
"""A generator, whose error comes at its first `next`."""

STRICT = Hall(
    "strict",
    MODULE,
    "kept = []\nfor value in values:\n    if value < 0:\n        raise ValueError(f'negative: {value}')\n"
    "    if value < limit and value not in kept:\n        kept.append(value)\nreturn sum(value * value for value in kept)",
    CALLS
    + "\n\n@pytest.mark.parametrize('n', range(9))\ndef test_nothing_is_negative(n):\n    with pytest.raises(ValueError):\n"
    "        score([*range(100 + n), -n - 1], 90)\n",
)
"""An exception for some values."""

LOUD = Hall("loud", MODULE, KEPT + "print(len(kept), 'kept')\nreturn sum(kept)", calls("assert got"))
"""A line is printed."""

BOXES = Hall(
    "boxes",
    MODULE.replace(
        "def score(",
        "class Box:\n    def __init__(self, total, count):\n        self.total = total\n        self.count = count\n\n\ndef score(",
    ),
    KEPT + "return Box(sum(kept), len(kept))",
    calls("assert got.total"),
)
"""An object comes out."""

SORTED = Hall(
    "sorted",
    MODULE,
    "ordered = []\nfor value in values:\n    place = 0\n"
    "    while place < len(ordered) and ordered[place] % 100 <= value % 100:\n        place += 1\n"
    "    ordered.insert(place, value)\nreturn ordered[:limit]",
    calls("assert got"),
)
"""Ints sorted by the last two digits; what has the same ones stays in order."""

WORDS = Hall(
    "words",
    MODULE,
    "words = []\nfor word in values.split():\n    if word.lower() not in words:\n        words.append(word.lower())\n"
    "return ' '.join(words[:limit])",
    "import random\n\nimport pytest\n\nfrom scores import score\n\n"
    "CASES = [(' '.join(random.Random(n).choice('abCdEf') + str(random.Random(k).randrange(n)) for k in range(n)), n)\n"
    "         for n in range(150, 450, 20)]\n\n\n"
    "@pytest.mark.parametrize(('values', 'limit'), CASES)\ndef test_words(values, limit):\n    assert score(values, limit)\n",
)
"""Text in, text out."""

BOTH = Hall(
    "both",
    MODULE.replace("score(values, limit)", "score(values, others)"),
    "kept = []\nfor value in values:\n    if value not in kept:\n        kept.append(value)\nothers.clear()\n"
    "return sum(kept) + len(values)",
    CALLS.replace("9 * n)", "[n, n + 1])").replace("score(values, limit)", "score(list(values), list(limit))"),
)
"""A second list is emptied, which may be the first."""

COPIES = Hall("copies", MODULE, KEPT + "return kept", CALLS.replace("9 * n)", "10 * n)"))
"""What comes out is equal to what went in, and another list."""
