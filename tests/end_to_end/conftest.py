"""Projects of these tests have an environment of their own."""

from plain_environment import environment  # noqa: F401
