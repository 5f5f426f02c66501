# make demo   the main job on the embedded model, from nothing
# make test   everything that CI checks
# make check  the quick loop: no slow tests, no embedded model
# make record the examples anew, on the embedded model: when a prompt has changed
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= auto
BIN := $(VENV)/bin

.PHONY: record demo test check lint types pyright mypy quick clean

$(VENV)/.dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local,cli]' --group dev
	touch $@

$(VENV)/.local: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local]'
	touch $@

demo: $(VENV)/.local
	$(BIN)/python -m typedllm.models.weights
	$(BIN)/python examples/coffee_shop/main.py --model local

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

pyright: $(VENV)/.dev
	$(BIN)/pyright --pythonpath $(BIN)/python

mypy: $(VENV)/.dev
	$(BIN)/mypy typedllm schemas examples

types: pyright mypy

quick: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow and not local"

check: $(VENV)/.dev
	$(MAKE) --no-print-directory --jobs --output-sync=target lint types quick

test: lint types
	$(BIN)/python -m typedllm.models.weights
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -n $(WORKERS) --cov --durations=10

clean:
	rm -rf $(VENV) .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build

record: $(VENV)/.local
	$(BIN)/python -m typedllm.models.weights
	for each in $(dir $(wildcard examples/*/main.py)); do \
	  $(BIN)/python $${each}main.py --model local --record > /dev/null || exit 1; \
	  $(BIN)/python $${each}main.py > $${each}expected.txt || exit 1; done
