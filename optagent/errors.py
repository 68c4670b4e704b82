"""Our faults, as a tree. A candidate's crash, timeout or wrong answer is never in it: that is a Verdict.

OptagentError            one sentence, why it matters, what to type next; a slug and an exit code
  x UsageError           2   the command line names something that is not there or not clear
      TargetNotFound         no function of that name
      TargetNested           a function inside a function, which has no name of its own outside
      TargetAmbiguous        several functions of that name; the hint lists them
      BadSource              the target's file cannot be read as source code
      BadWorkload            the workload file cannot be used
      BadPatch               the patch to be judged cannot be read or does not fit
      BadTarget              nothing can be planted in the function
      BadRevision            git knows no such revision, or there is no git
      SignatureChanged       the two sides of a comparison cannot be called in the same way
      BadSetting             a flag or a setting has a value that means nothing
      BadPrompt              a prompt of the user's own cannot be used
      RunNotFound            no such run in this repository's ledger
      TreeChanged            the user's file is not the one the run started from
  x EnvironmentFault     3   the machine or the project cannot be measured
      SandboxUnavailable     the sandbox asked for does not work here
      SandboxBroken          the sandbox failed while it was in use
      BaselineBroken         the untouched code cannot be judged
      InterpreterUnusable    the target's interpreter is missing, too old or broken
      ToolMissing            a program that is needed is not installed
      DependencyPoisoned     a library of ours is installed in a version known to steal keys
      OutOfMemory            the machine has not enough memory for us
      SystemRefused          a file that we need cannot be had: a full disk, no right to it, too many of them
  x ProviderFault        4   a model could not be asked, or its provider would not answer
      KeyMissing             there is no key to send
      KeyRefused             the provider does not accept the key, or not for this
      QuotaSpent             the account has no credit left
      RateLimited            too many requests, and no time left to wait
      ModelUnknown           no such model there
      ContextTooLong         the prompt does not fit the model
      RequestRefused         the provider objects to the request itself
      ProviderUnreachable    no whole answer arrived
  x LedgerFault          5   the record of runs cannot be read or written
      LedgerUnwritable       the state folder refuses
      LedgerUnknown          written by another version of optagent
      LedgerCorrupt          not what we wrote
"""

from __future__ import annotations

from typing import ClassVar


class OptagentError(Exception):
    """A fault of ours or of our surroundings, told in one sentence with the next thing to type."""

    exit_code: ClassVar[int] = 70
    slug: ClassVar[str] = "crash"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OptagentError):
    exit_code = 2
    slug = "usage"


class TargetNotFound(UsageError):
    slug = "target-not-found"


class TargetNested(UsageError):
    slug = "target-nested"


class TargetAmbiguous(UsageError):
    slug = "target-ambiguous"


class BadSource(UsageError):
    slug = "bad-source"


class BadWorkload(UsageError):
    slug = "bad-workload"


class BadPatch(UsageError):
    slug = "bad-patch"


class BadTarget(UsageError):
    slug = "bad-target"


class BadRevision(UsageError):
    slug = "bad-revision"


class SignatureChanged(UsageError):
    slug = "signature-changed"


class BadSetting(UsageError):
    slug = "bad-setting"


class BadPrompt(UsageError):
    slug = "bad-prompt"


class RunNotFound(UsageError):
    slug = "run-not-found"


class RunBusy(UsageError):
    slug = "run-busy"


class TreeChanged(UsageError):
    slug = "tree-changed"


class EnvironmentFault(OptagentError):
    exit_code = 3
    slug = "environment"


class SandboxUnavailable(EnvironmentFault):
    slug = "sandbox-unavailable"


class SandboxBroken(EnvironmentFault):
    slug = "sandbox-broken"


class BaselineBroken(EnvironmentFault):
    slug = "baseline-broken"


class InterpreterUnusable(EnvironmentFault):
    slug = "interpreter-unusable"


class ToolMissing(EnvironmentFault):
    slug = "tool-missing"


class DependencyPoisoned(EnvironmentFault):
    slug = "dependency-poisoned"


class OutOfMemory(EnvironmentFault):
    slug = "out-of-memory"


class SystemRefused(EnvironmentFault):
    slug = "system-refused"


class ProviderFault(OptagentError):
    exit_code = 4
    slug = "provider"


class KeyMissing(ProviderFault):
    slug = "key-missing"


class KeyRefused(ProviderFault):
    slug = "key-refused"


class QuotaSpent(ProviderFault):
    slug = "quota-spent"


class RateLimited(ProviderFault):
    slug = "rate-limited"


class ModelUnknown(ProviderFault):
    slug = "model-unknown"


class ContextTooLong(ProviderFault):
    slug = "context-too-long"


class RequestRefused(ProviderFault):
    slug = "request-refused"


class ProviderUnreachable(ProviderFault):
    slug = "provider-unreachable"


class LedgerFault(OptagentError):
    exit_code = 5
    slug = "ledger"


class LedgerUnwritable(LedgerFault):
    slug = "ledger-unwritable"


class LedgerUnknown(LedgerFault):
    slug = "ledger-unknown"


class LedgerCorrupt(LedgerFault):
    slug = "ledger-corrupt"
