"""What a Coder's reply can turn out to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WholeFunction:
    """The target written anew, with the imports and private helpers it needs. `code` ends with a newline."""

    code: str
    idea: str


@dataclass(frozen=True)
class Block:
    """Lines to be found and lines to stand in their place, each with its newline; no `replace` deletes."""

    search: str
    replace: str


@dataclass(frozen=True)
class Blocks:
    blocks: tuple[Block, ...]
    idea: str


@dataclass(frozen=True)
class Complaint:
    """Why a reply is no edit: a sentence (lines of the file may follow) for the model's one repair, and for people."""

    reason: str


Edit = WholeFunction | Blocks
