"""pyperf's metadata of this machine, and times in pyperf's own JSON, so that its tools read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from optagent.errors import BadSetting

Metadata = dict[str, str | int | float]
OURS = ("python_", "mem_", "timer")
"""What pyperf says of the process that asks: that is optagent, which timed nothing in itself."""


@dataclass(frozen=True)
class Side:
    """One benchmark: a name, and for each launch the seconds of one pass."""

    name: str
    seconds: Sequence[float]
    metadata: Mapping[str, str | int | float]


def metadata() -> Metadata:
    """What pyperf notes of the machine now: kernel, processor, frequencies, load, uptime."""
    import pyperf  # 0.13 s that `--help` does not pay

    return {name: value for name, value in pyperf.Run([1.0]).get_metadata().items() if not name.startswith(OURS)}


def write(file: Path, sides: Sequence[Side]) -> None:
    """A new file with one benchmark for each side, and in it one run for each launch. Raises BadSetting."""
    import pyperf

    suite = pyperf.BenchmarkSuite([pyperf.Benchmark(_runs(one)) for one in sides])
    try:
        suite.dump(str(file))
    except FileExistsError:
        raise BadSetting(f"there is a file {file} already", "Name another one, or remove it.") from None
    except OSError as error:
        raise BadSetting(f"{file} cannot be written: {error.strerror}", "Name another file.") from None


def _runs(side: Side) -> list[object]:
    import pyperf

    told = {**side.metadata, "name": side.name, "unit": "second"}
    return [pyperf.Run([value], metadata=told, collect_metadata=False) for value in side.seconds]
