"""The one file that imports litellm, when it is first needed: 4 s of CPU, so the caller says when (`load`)."""

from __future__ import annotations

import logging
import os
import warnings
from functools import cache
from types import ModuleType
from typing import Any

from optagent.llm.base import Request
from optagent.llm.installed import require_clean

# Each of these is fetched over the network otherwise, at import or at the first call.
LOCAL_TABLES = ("MODEL_COST_MAP", "ANTHROPIC_BETA_HEADERS", "BLOG_POSTS", "POLICY_TEMPLATES", "AUTOROUTER_PRESETS")
# They print what belongs into a fault, and whole requests when the root logger is verbose.
LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "httpcore", "httpx2", "httpcore2")


@cache
def load() -> ModuleType:
    """litellm, imported and quiet: no network, no `.env` file read, no telemetry, nothing on stderr."""
    require_clean()
    for name in LOCAL_TABLES:
        os.environ[f"LITELLM_LOCAL_{name}"] = "True"
    os.environ["LITELLM_MODE"] = (
        "PRODUCTION"  # in its other mode it loads the nearest .env: of whatever project is near
    )
    _silence()  # the import logs, too
    import litellm

    _silence()  # and gives its loggers handlers
    litellm.suppress_debug_info = True
    if isinstance(getattr(litellm, "telemetry", None), bool):  # newer ones have a package there, which asks first
        litellm.telemetry = False
    return litellm


def _silence() -> None:
    """Nothing of theirs is logged, at any level and whatever LITELLM_LOG says: providers' messages echo keys."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.disabled = True
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False  # for the loggers below it


def _ready() -> ModuleType:
    """litellm, with the warnings about its own source ignored that it ignores itself when it is imported.

    It imports its parts at their first use, long after that, and where warnings are errors (and filters are reset, as
    in a test run) such a part then stays broken for the rest of the process.
    """
    warnings.filterwarnings("ignore", message=".*`ReadOnly` qualifier.*", category=UserWarning)
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)  # quotes the answer
    return load()


def ask(request: Request, model: str, api_base: str | None, api_key: str | None, timeout_s: float) -> Any:
    """One HTTP request, without any retry of litellm's or of its clients; litellm's response, or its exceptions."""
    wanted: dict[str, Any] = {
        "model": model,
        "messages": [{"role": one.role, "content": _sendable(one.text)} for one in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "reasoning_effort": request.effort,
        "response_format": _format(request.schema),
        "api_base": api_base,
        "api_key": api_key,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    return _ready().completion(**given, timeout=timeout_s, max_retries=0, drop_params=True)


def is_provider(name: str) -> bool:
    """Whether litellm knows a provider of that name."""
    return name in {str(getattr(one, "value", one)) for one in _ready().provider_list}


def can_name_provider(model: str) -> bool:
    """Whether litellm finds the provider of a model by the model's name."""
    litellm = _ready()
    try:
        litellm.get_llm_provider(model)
    except litellm.BadRequestError:
        return False
    return True


def missing_keys(model: str) -> tuple[str, ...]:
    """The variables of the environment that could hold the model's key, when none does.

    Only plain keys: clouds have other ways to log in, which show when they are tried.
    """
    missing = _ready().validate_environment(model)["missing_keys"]
    return tuple(missing) if all(name.endswith("_API_KEY") for name in missing) else ()


def _format(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def _sendable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which JSON cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
