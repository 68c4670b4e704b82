# The verbs of this project. Each one sets up what it needs (scripts/setup) and works alone on a fresh machine.
# PYTHON=/path/to/python3.12 chooses the interpreter.

.PHONY: help demo test sweep fast check bench lock
.NOTPARALLEL:
# An environment that happens to be active must not become the one that runs the examples; and pytest keeps what it has
# made of the plugins, or every session makes it anew (a second each).
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

python = .venv/bin/python
# One worker for each core, and the tests of one file by one of them: they share what is dear to make.
at_once = -n auto --dist loadfile --no-loadscope-reorder

help: ## show this list (default)
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

demo: ## make an example of ours faster, with proof and without a key
	@scripts/setup
	@.venv/bin/optagent run examples/checkpoint_serialise --target serialise
	@echo "The program is .venv/bin/optagent; to have it as plain optagent, type: . .venv/bin/activate"

test: ## run the tests, all but the sweeps
	@scripts/setup dev
	@$(python) -m pytest -m "not sweep" $(at_once)

sweep: ## run the sweeps: other Pythons, the whole museum of awkward repositories, other users
	@scripts/setup dev
	@$(python) -m pytest -m sweep $(at_once)

fast: ## run the tests that are not marked slow
	@scripts/setup dev
	@$(python) -m pytest -m "not slow" $(at_once)

check: ## formatting, lint and types
	@scripts/setup lint
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy

bench: ## run the benchmarks, one after the other
	@scripts/setup dev
	@for bench in $$(grep -l __main__ benchmarks/*.py); do echo "== $$bench" && $(python) "$$bench" || exit; done

# One lock for Python 3.11 to 3.13 (--universal: a package that only one of them needs gets a marker; pip-compile sees
# only the Python it runs under). `make lock UPGRADE=--upgrade` takes newer versions.
uv = .venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet $(UPGRADE) \
    --custom-compile-command "make lock"

lock: ## write the lock files anew from pyproject.toml
	@scripts/setup lint
	$(uv) pyproject.toml --output-file requirements.lock
	$(uv) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock
