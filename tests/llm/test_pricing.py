"""Prices, from the table that litellm ships or from the user, and bounds that a budget can lean on."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optagent.llm.base import Message, Price, Request, Usage
from optagent.llm.pricing import estimate_tokens, most_tokens, output_limit, price_of, table, worst_case

TIERED = Price(1e-6, 1e-7, 2e-6, 1.25e-6, ((200, Price(2e-6, 2e-7, 3e-6)), (500, Price(4e-6, 4e-7, 6e-6))))


def test_the_table_is_read_without_importing_litellm():
    code = (
        "import sys\n"
        "from optagent.llm.pricing import price_of\n"
        "from optagent.llm import litellm_model\n"
        "assert price_of('gpt-4o-mini').usd_in == 0.15e-6\n"
        "assert 'litellm' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("model", "same"),
    [
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("ft:gpt-4o-mini-2024-07-18:us::abc", "ft:gpt-4o-mini-2024-07-18"),
    ],
)
def test_a_model_costs_the_same_under_each_of_its_names(model, same):
    assert price_of(model) == price_of(same) is not None


def test_other_names_listed_in_the_table_cost_what_their_owner_costs():
    others = {name: str(row["alias_of"]) for name, row in table().items() if "alias_of" in row}
    assert others
    assert all(price_of(name) == price_of(owner) for name, owner in others.items())


@pytest.mark.parametrize(
    "model",
    ["no-such-model", "foo/bar", "hosted_vllm/gpt-4o-mini", "anthropic/gpt-4o-mini", "openai/claude-sonnet-4-5"],
)
def test_the_price_of_another_provider_is_no_price(model):
    assert price_of(model) is None


def test_a_server_of_ones_own_has_the_prices_of_openai_for_openais_names_only():
    base = "http://127.0.0.1:1/v1"
    assert price_of("gpt-4o-mini", base) == price_of("gpt-4o-mini")
    assert price_of("claude-sonnet-4-5", base) is None
    assert price_of("meta-llama/Llama-3.1-8B", base) is None


def test_zero_is_a_price_only_where_models_run_locally():
    free = {
        str(row["litellm_provider"])
        for name, row in table().items()
        if (p := price_of(name)) and p.usd_in == 0 == p.usd_out
    }
    assert free <= {"ollama", "lemonade"}
    for base in (None, "http://127.0.0.1:11434"):
        assert price_of("ollama_chat/llama3", base) == Price(0, 0, 0)


def test_every_chat_model_of_the_table_can_be_looked_up():
    for name in table():
        price = price_of(name)
        assert price is None or min(price.usd_in, price.usd_cached, price.usd_out) >= 0
        assert output_limit(name) is None or output_limit(name) > 0


def test_a_price_of_the_users_is_per_million_and_knows_no_discount():
    assert Price.per_million(2, 8).cost(Usage(1000, 100, cached=900)) == pytest.approx(0.0028)


def test_cached_and_written_tokens_have_their_own_price():
    usage = Usage(150, 10, cached=100, written=20)
    assert TIERED.cost(usage) == pytest.approx(30e-6 + 100e-7 + 20 * 1.25e-6 + 10 * 2e-6)


@pytest.mark.parametrize(("tokens_in", "usd"), [(200, 200e-6), (201, 402e-6), (500, 1000e-6), (501, 2004e-6)])
def test_a_long_prompt_is_billed_at_the_price_of_its_tier_all_of_it(tokens_in, usd):
    assert TIERED.cost(Usage(tokens_in, 0)) == pytest.approx(usd)


def test_the_tiers_of_the_table_are_read():
    gemini = price_of("gemini/gemini-2.5-pro")
    assert gemini.cost(Usage(200_000, 0)) == pytest.approx(200_000 * 1.25e-6)
    assert gemini.cost(Usage(200_001, 10)) == pytest.approx(200_001 * 2.5e-6 + 10 * 15e-6)
    assert price_of("dashscope/qwen-flash").cost(Usage(256_001, 0)) == pytest.approx(256_001 * 2.5e-7)


prices = st.floats(0, 1e-3)
flat = st.builds(Price, prices, prices, prices, st.none() | prices)
tiered = st.builds(
    lambda price, tiers: Price(price.usd_in, price.usd_cached, price.usd_out, price.usd_written, tuple(tiers)),
    flat,
    st.lists(st.tuples(st.integers(0, 1000), flat), max_size=3, unique_by=lambda tier: tier[0]),
)


@given(tiered, st.integers(0, 1500), st.integers(0, 1500), st.floats(0, 1), st.floats(0, 1), st.integers(0, 500))
def test_no_usage_within_the_bound_costs_more_than_the_bound(price, tokens_in, tokens_out, cached, written, more):
    hits = int(tokens_in * cached)
    usage = Usage(tokens_in, tokens_out, hits, 0, int((tokens_in - hits) * written))
    assert price.cost(usage) <= price.at_most(tokens_in + more, tokens_out + more) * (1 + 1e-9)


@given(st.text(), st.text())
def test_the_bound_of_tokens_counts_every_byte_and_never_shrinks_with_more_text(text, more):
    assert most_tokens(text) > len(text.encode("utf-8", "surrogatepass"))
    assert most_tokens(text) <= most_tokens(text + "\n" + more)


def test_a_letter_that_normalises_to_a_sentence_counts_as_that_sentence():
    assert most_tokens("\ufdfa") > 30


def test_the_worst_case_of_a_request_covers_its_answer_and_its_schema():
    plain = Request("gpt-4o-mini", (Message("user", "x" * 1000),), max_tokens=100)
    tokens, usd = worst_case(plain, price_of("gpt-4o-mini"))
    assert 1100 < tokens < 2000
    assert usd == pytest.approx((tokens - 100) * 0.15e-6 + 100 * 0.60e-6)
    with_schema = Request("gpt-4o-mini", plain.messages, 100, schema={"type": "object", "description": "y" * 500})
    assert worst_case(with_schema, None)[0] > tokens + 1000
    assert worst_case(with_schema, None)[1] is None


def test_an_estimate_for_people_is_lower_than_the_bound():
    assert estimate_tokens("a" * 350) == 100 < most_tokens("a" * 350)


def test_equal_requests_have_equal_digests_and_others_have_others():
    one = Request("m", (Message("user", "x"),), schema={"b": 1, "a": 2})
    assert one.digest == Request("m", (Message("user", "x"),), schema={"a": 2, "b": 1}).digest
    assert len({one.digest, Request("m", (Message("system", "x"),)).digest, Request("m", ()).digest}) == 3
