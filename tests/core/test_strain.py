"""What kept a machine from telling: the sign that is furthest above what is worth telling."""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest

from optagent.core.strain import SIGNS, Strain, likeliest, strain_of


@pytest.mark.parametrize(
    ("strain", "words", "remedy"),
    [
        (Strain(2.0, load=3.0, steal=0.3, pressure=0.4), "30% of the core's time away (steal)", "shares its cores"),
        (Strain(2.0, load=3.0, pressure=0.9, delay=0.5), "waited 50% of its time for the core", "taskset"),
        (Strain(2.0, throttled=0.2, delay=0.1), "stopped 20% of the time", "CPU quota"),
        (Strain(2.0, drift=0.25, load=1.6), "frequency fell by 25%", "pyperf system tune"),
        (Strain(2.0, pressure=0.9, load=1.0, delay=0.01), "waited for a core 90% of the time", "Close other programs"),
        (Strain(2.0, load=4.25, pressure=0.2), "4.2 programs wanted each core", "Close other programs"),
    ],
)
def test_the_likeliest_cause_comes_with_its_value_and_what_to_do(strain, words, remedy):
    cause = likeliest(strain)
    assert cause is not None
    assert words in cause.what
    assert remedy in cause.remedy


@pytest.mark.parametrize("strain", [None, Strain(2.0), Strain(2.0, 1.0, 0.01, 0.1, 0.02, 0.0, 0.01)])
def test_an_idle_machine_is_not_blamed(strain):
    assert likeliest(strain) is None


def test_every_number_but_the_time_is_a_sign():
    assert {sign.name for sign in SIGNS} == {one.name for one in fields(Strain)} - {"seconds"}


def test_it_survives_the_ledger_and_older_files_have_none():
    strain = Strain(2.0, load=0.5, steal=0.0)
    assert strain_of({**asdict(strain), "of a later version": 1}) == strain
    assert strain_of({}) is None
