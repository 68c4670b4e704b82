"""What of an environment the times of code in it depend on."""

from __future__ import annotations

import hashlib
from typing import Any

from optagent.languages.python.environment.environment import Environment
from optagent.languages.python.environment.site_packages import canonical

NAMED = (
    "numpy", "scipy", "pandas", "polars", "pyarrow", "numba", "llvmlite", "cython", "numexpr", "scikit-learn", "torch",
    "jax", "jaxlib", "tensorflow", "cupy", "orjson", "lxml", "networkx", "sympy", "pydantic-core",
)  # fmt: skip
"""Distributions whose version is told by name where they are installed: they do the work in much numeric code."""


def identity(found: Environment) -> dict[str, Any]:
    """The interpreter's build, and the installed distributions: all of them as one digest, a few by name.

    What is installed from the repository itself is left out: its code is what is compared.
    """
    known = found.interpreter
    own = {canonical(one.name) for one in found.editables if one.inside}
    installed = {name: version for name, version in sorted(found.installed.items()) if name not in own}
    listed = "".join(f"{name}=={version}\n" for name, version in installed.items())
    return {
        "python": {
            "version": ".".join(map(str, known.version)),
            "abi": known.tag,
            "build": known.build,
            "options": " ".join(known.options),
        },
        "packages": {
            "count": len(installed),
            "digest": hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()[:16],
            **{name: installed[name] for name in NAMED if name in installed},
        },
    }
