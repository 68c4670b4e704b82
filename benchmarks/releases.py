"""Pairs of releases with what their authors' changelogs claim of a function. Not a benchmark itself; `history.py`
judges them. Chosen from the changelogs, by their words, before any verdict of ours was seen; only those that are called
`through` a function of ours, or are `late`, were added afterwards."""

from __future__ import annotations

from dataclasses import dataclass

FASTER, NOTHING = "faster", "nothing"


@dataclass(frozen=True)
class Release:
    """`folder` is where the package lies in the source distribution; `inputs` is the body of make_inputs(size, rng)
    and `head` stands above it. `words` are the changelog's own; `claimed` is FASTER, or NOTHING for a control."""

    package: str
    old: str
    new: str
    folder: str
    target: str
    words: str
    inputs: str
    head: str = ""
    claimed: str = FASTER
    through: str = ""
    """What a function that calls the target does with its `args`: it stands beside the package on both sides and is
    judged in the target's place, where what the target returns cannot be the same (a private attribute, another kind
    of iterator)."""
    late: str = ""
    """Why the workload is a second one, written after the verdict on the first was seen."""


def _more(old: str, new: str, name: str, words: str, inputs: str, **rest: str) -> Release:
    return Release("more-itertools", old, new, "more_itertools", f"more_itertools.{name}", words, inputs, **rest)


def _packaging(old: str, new: str, name: str, words: str, inputs: str, **rest: str) -> Release:
    return Release("packaging", old, new, "src/packaging", f"packaging.{name}", words, inputs, **rest)


def _markdown(words: str, inputs: str, **rest: str) -> Release:
    return Release("markdown", "3.11.2", "3.11.3", "markdown", "markdown.core:markdown", words, inputs, **rest)


NUMBERS = "return [([rng.randrange(9999) for _ in range(100 * size + k)],) for k in range(8)]"
WINDOWS = "return [([rng.randrange(99) for _ in range(100 * size + k)], 5) for k in range(8)]"
VERSIONS = "return [('%d.%d.%drc1' % (k, rng.randrange(99), size),) for k in range(8)]"
CHOSEN = "pool = list(range(30 * size + 30)); r = 10 * size + 10"
NAMES = "return [(''.join(rng.choice('aB1_.-') for _ in range(20 * size + k)),) for k in range(8)]"
WORDS = (
    "def text(rng, n):\n"
    "    return ' '.join(rng.choice(['one', '*two*', 'three', '`4`', '**5**']) for _ in range(n))\n\n\n"
)
SQL = "'select a, b from t where a = %d and b in (%s)' % (rng.randrange(99), ', '.join(map(str, range(4 * size + k))))"
MARKER = "python_version >= '3.%d' and sys_platform == 'linux' or extra == 'e%d'"

REQUIREMENTS = (
    f"one = lambda: {MARKER!r} % (rng.randrange(99), rng.randrange(99))\n"
    "    return [('name%d[a,b] >=1.0,<2 ; ' % k + ' or '.join(one() for _ in range(size)),)"
    " for k in range(8)]"
)
MANY = "many: the first one stopped growing at a few, as soon as a call was long enough"

RELEASES = (
    _more("10.1.0", "10.2.0", "more:nth_permutation", "was optimized",
          f"{CHOSEN}; return [(pool, r, rng.randrange(10**12)) for _ in range(8)]"),
    _more("10.1.0", "10.2.0", "more:combination_index", "was optimized",
          f"{CHOSEN}; return [(sorted(rng.sample(pool, r)), pool) for _ in range(8)]"),
    _more("10.1.0", "10.2.0", "more:first", "was optimized", NUMBERS),
    _more("10.2.0", "10.3.0", "more:windowed", "was optimized and improved",
          "return [([rng.randrange(99) for _ in range(100 * size + k)], 6) for k in range(8)]"),
    _more("10.2.0", "10.3.0", "more:collapse", "was optimized and improved",
          "return [([[[rng.randrange(99), 1], [2, [3]]] for _ in range(20 * size + k)],) for k in range(8)]"),
    _more("10.3.0", "10.4.0", "recipes:triplewise", "was optimized", NUMBERS),
    _more("10.3.0", "10.4.0", "recipes:sliding_window", "was optimized", WINDOWS),
    _more("10.4.0", "10.5.0", "recipes:all_equal", "was optimized",
          "n = rng.randrange(99); return [([n] * (100 * size + k),) for k in range(8)]"),
    _more("10.5.0", "10.6.0", "recipes:factor", "was optimized to handle larger inputs and use less memory",
          "return [(rng.randrange(10**10, 10**11),) for _ in range(8)]"),
    _more("10.6.0", "10.7.0", "more:strictly_n", "was optimized",
          "return [([rng.randrange(99) for _ in range(100 * size + k)], 100 * size + k) for k in range(8)]"),
    _more("10.7.0", "10.8.0", "more:mark_ends", "performance was improved", NUMBERS),
    _more("10.7.0", "10.8.0", "more:interleave_longest", "performance was improved",
          "return [tuple([rng.randrange(99) for _ in range(50 * size + k * j)] for j in range(3)) for k in range(8)]"),
    _more("10.7.0", "10.8.0", "more:map_if", "performance was improved",
          "return [([rng.randrange(3) for _ in range(100 * size + k)], bool, hex) for k in range(8)]"),
    _more("10.7.0", "10.8.0", "recipes:before_and_after", "performance was improved",
          "return [(bool, [1] * (100 * size + k) + [0] + [rng.randrange(9)] * 50) for k in range(8)]"),
    _more("10.8.0", "11.0.2", "more:substrings", "performance was improved",
          "return [([rng.randrange(99) for _ in range(10 * size + k)],) for k in range(8)]"),
    _more("10.8.0", "11.0.2", "more:difference", "performance was improved", NUMBERS),
    _more("10.8.0", "11.0.2", "recipes:nth_combination", "performance was improved",
          f"{CHOSEN}; return [(pool, r, rng.randrange(10**6)) for _ in range(8)]"),
    _more("11.1.0", "11.2.1", "more:minmax", "performance improvements", NUMBERS),
    _more("11.1.0", "11.2.1", "more:nth_permutation", "performance improvements",
          f"{CHOSEN}; return [(pool, r, rng.randrange(10**12)) for _ in range(8)]"),
    _packaging("25.0", "26.0", "utils:canonicalize_name", "much faster, by avoiding a regex", NAMES),
    _packaging("25.0", "26.0", "utils:canonicalize_version", "faster",
               "return [('.'.join(str(rng.randrange(99)) for _ in range(3 * size + k)) + '.0.0',) for k in range(8)]"),
    _packaging("25.0", "26.0", "version:parse", "a little faster, and a faster regex", VERSIONS),
    _packaging("25.0", "26.0", "_parser:parse_requirement", "3x speedup in the tokenizer", REQUIREMENTS),
    _markdown("fix quadratic-time parsing of many consecutive reference definitions",
              "return [('\\n'.join(f'[r{rng.randrange(10**6)}]: http://x.org/{j}' for j in range(20 * size + k)),)"
              " for k in range(4)]"),
    _markdown("fix quadratic time with many unclosed HTML comments",
              "return [('a <!-- b\\n' * (20 * size + k) + str(rng.random()),) for k in range(4)]"),
    _markdown("fix quadratic-time id generation in toc when many headers share the same text",
              "return [{'args': ('\\n\\n'.join(['# same'] * (10 * size + k)) + str(rng.random()),), "
              "'kwargs': {'extensions': ['toc']}} for k in range(4)]"),
    Release("sqlparse", "0.6.0", "0.6.1", "sqlparse", "sqlparse:format",
            "format() consumed CPU quadratically on statements with many quotes that are never closed",
            "return [('select ' + 'a\\' ' * (20 * size + k) + '\"b ' * (20 * size + rng.randrange(20)),)"
            " for k in range(4)]"),
    _more("10.4.0", "10.5.0", "more:distinct_permutations", "(control)",
          "return [([rng.randrange(3) for _ in range(6)] + [k],) for k in range(8)]", claimed=NOTHING),
    _packaging("26.1", "26.2", "utils:canonicalize_name", "(control)", NAMES, claimed=NOTHING),
    _packaging("26.0", "26.1", "utils:canonicalize_name", "(control)", NAMES, claimed=NOTHING),
    _more("10.3.0", "10.4.0", "recipes:triplewise", "was optimized", NUMBERS, through="list({}(*args))"),
    _more("10.3.0", "10.4.0", "recipes:sliding_window", "was optimized", WINDOWS, through="list({}(*args))"),
    _more("10.8.0", "11.0.2", "more:difference", "performance was improved", NUMBERS, through="list({}(*args))"),
    _packaging("25.0", "26.0", "version:parse", "a little faster, and a faster regex", VERSIONS,
               through="str({}(*args))"),
    _packaging("25.0", "26.0", "_parser:parse_requirement", "3x speedup in the tokenizer", REQUIREMENTS,
               through="str({}(*args))"),
    _markdown("fix quadratic time with many unclosed HTML comments",
              "return [('a <!-- b\\n' * (400 * size + k) + str(rng.random()),) for k in range(4)]", late=MANY),
    _markdown("fix quadratic-time id generation in toc when many headers share the same text",
              "return [{'args': ('\\n\\n'.join(['# same'] * (400 * size + k)) + str(rng.random()),), "
              "'kwargs': {'extensions': ['toc']}} for k in range(4)]", late=MANY),
    Release("sqlparse", "0.6.0", "0.6.1", "sqlparse", "sqlparse:format",
            "format() consumed CPU quadratically on statements with many quotes that are never closed",
            "return [('x\\\\\\' ' * (200 * size + rng.randrange(50)),) for k in range(4)]",
            late="the first one's quotes closed each other"),
    Release("sqlparse", "0.6.0", "0.6.1", "sqlparse", "sqlparse:split", "(control: ordinary SQL)",
            f"return [({SQL},) for k in range(4)]", claimed=NOTHING),
    _markdown("(control: ordinary text)", "return [(text(rng, 40 * size + k),) for k in range(4)]", head=WORDS,
              claimed=NOTHING),
)  # fmt: skip
