"""A file's text in a spelling that the parser reads: no byte order mark, a letter for each byte that is not UTF-8."""

from __future__ import annotations

from dataclasses import replace

from optagent.rules.base import Proposal, Site

MARK = "\ufeff"
BYTES = range(0xDC80, 0xDD00)  # how Python writes a byte that is not UTF-8
LETTERS = range(0xE000, 0xE080)  # characters nobody's source has: for private use, and no part of a name
HIDDEN = dict(zip(BYTES, map(chr, LETTERS), strict=True))
SHOWN = dict(zip(LETTERS, map(chr, BYTES), strict=True))


def readable(site: Site) -> Site:
    """The site with a text that libcst takes; unchanged where `written` could not give the same text back.

    >>> readable(Site("\\ufeff# caf\\udce9", "f", {})).source == "# caf\\ue069"
    True
    """
    source = site.source.removeprefix(MARK).translate(HIDDEN)
    again = replace(site, source=source)
    return again if spelled(source, site) == site.source else site


def written(proposal: Proposal, site: Site) -> Proposal:
    """The proposal for the readable site as one for the site itself."""
    return proposal if readable(site) is site else replace(proposal, source=spelled(proposal.source, site))


def spelled(source: str, site: Site) -> str:
    mark = MARK if site.source.startswith(MARK) else ""
    return mark + source.translate(SHOWN)
