"""What is to be made faster: a function in a tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Tree:
    """A folder of source we own (never the user's) and the project inside it.

    `root` is the absolute path of the folder; `project` is the project's folder relative to it
    (`"."` unless the project is part of a larger repository).
    """

    root: Path
    project: str = "."

    @property
    def project_root(self) -> Path:
        return self.root / self.project


@dataclass(frozen=True)
class Target:
    """One function: where its source stands and under which name it is imported.

    `path` is relative to the tree's root, in posix form; `import_root` is the folder (relative,
    posix) that must be on the import path so that `module` finds that file. `line` is that of its `def`,
    `first_line` that of its first decorator. `kind` is one of function, method, staticmethod, classmethod, property
    (its getter). An async generator is both. `decorators` counts those that may put another function under the name.
    """

    path: str
    qualname: str
    module: str
    import_root: str
    line: int
    kind: str = "function"
    is_async: bool = False
    is_generator: bool = False
    first_line: int = 0
    decorators: int = 0

    @property
    def is_decorated(self) -> bool:
        """Whether what stands under its name may be another function than the one written there."""
        return self.decorators > 0

    @property
    def name(self) -> str:
        return self.qualname.rsplit(".", 1)[-1]

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names to follow from the module to the function: as the compiler writes private ones of a class.

        >>> Target("m.py", "_Jar.__open", "m", ".", 3).attributes
        ('_Jar', '_Jar__open')
        """
        names = self.qualname.split(".")
        return tuple(mangled(name, around) for name, around in zip(names, ["", *names[:-1]], strict=True))

    def __str__(self) -> str:
        return f"{self.module}:{self.qualname}"


def mangled(name: str, class_name: str) -> str:
    """What a name in the body of a class becomes (Python reference, "Private name mangling")."""
    bare = class_name.lstrip("_")
    is_private = name.startswith("__") and not name.endswith("__")
    return f"_{bare}{name}" if is_private and bare else name


def is_inside(path: str) -> bool:
    """Whether a relative path stays inside the folder it is relative to.

    >>> is_inside("pkg/mod.py"), is_inside("../etc/passwd"), is_inside("/etc/passwd")
    (True, False, False)
    """
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and path not in ("", ".")
