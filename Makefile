# Two commands for users, `make report` and `make test`: each builds the environment it needs, once.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
INSTALL = $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check install --quiet --no-compile --no-deps --require-hashes
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
SOURCE ?=
OUT ?= reports
LANGUAGE ?= en

.PHONY: help env report test browser-test spark-test docs lock model model-card calibrate bench bench-analysis bench-streams bench-text fuzz clean
help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: $(STAMP) ## Build the environment (done by itself where needed)
$(STAMP): pyproject.toml requirements/all.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is %d.%d. Try: make PYTHON=python3.12 report" % sys.version_info[:2])'
	@echo "Building the environment in $(VENV) (about a minute, once) ..."
	@$(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(INSTALL) --only-binary :all: -r requirements/all.txt
	@$(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check install --quiet --no-compile --no-deps --no-build-isolation --editable .
	@$(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check check
	@touch $@

report: $(STAMP) ## Write the report (SOURCE=export.zip OUT=reports LANGUAGE=en|it; no SOURCE: the sample)
	@$(BIN)/etiquette report $(if $(SOURCE),"$(SOURCE)") --out "$(OUT)" --language $(LANGUAGE)

test: $(STAMP) ## Run the linters, the type checker and the tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/python -m pytest -q

browser-test: $(STAMP) $(VENV)/.browser ## Look at the report and JupyterLab in headless Chromium (installs Debian's where it may)
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	|| echo "Chromium is not here and cannot be installed by this user: its tests are skipped"
	@$(BIN)/python -m pytest -q tests/browser

# Tools that users need not fetch: each set has its own file of pins.
$(VENV)/.%: requirements/%.txt | $(STAMP)
	@$(INSTALL) --only-binary :all: -r $<
	@touch $@

docs: $(STAMP) ## Build site/: guides, rooms and reference, opened by double-click
	@$(BIN)/python docs/build.py

# Spark in an environment of its own on top of ours, since it is large and needs Java.
SPARK_VENV ?= .venv-spark
spark-test: $(STAMP) ## Test the Spark engine (fetches Apache Spark, 450 MB, once; needs Java 17)
	@if ! java -version >/dev/null 2>&1; then echo "Skipped: Spark needs Java 17, and there is no java here"; else \
	$(MAKE) --no-print-directory $(SPARK_VENV)/.complete && $(SPARK_VENV)/bin/python -m pytest -q tests/engine/test_spark.py; fi

$(SPARK_VENV)/.complete: requirements/spark.txt | $(STAMP)
	@$(PYTHON) -m venv --clear --without-pip $(SPARK_VENV)
	@$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib')); print('$(CURDIR)')" > $$($(SPARK_VENV)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/base.pth
	@$(PYTHON) -m pip --python $(SPARK_VENV)/bin/python --disable-pip-version-check install --quiet --no-compile --no-deps --require-hashes -r $<
	@touch $@

lock: ## Maintainers: rewrite the pinned requirements (needs uv)
	$(LOCK) --extra dev pyproject.toml -o requirements/all.txt
	for group in bench browser fuzz; do $(LOCK) --group $$group -c requirements/all.txt -o requirements/$$group.txt || exit 1; done
	$(PYTHON) -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['spark'], sep='\n')" | $(LOCK) -c requirements/all.txt - -o requirements/spark.txt

clean: ## Remove the environment and everything made
	rm -rf $(VENV) $(SPARK_VENV) reports site .pytest_cache .mypy_cache .ruff_cache .hypothesis

model: $(STAMP) ## Maintainers: retrain the pitch model from data/pitch, byte for byte
	@OMP_NUM_THREADS=1 $(BIN)/python data/pitch/build_model.py

model-card: $(STAMP) ## Maintainers: measure the pitch model and write data/pitch/MODEL_CARD.md
	@OMP_NUM_THREADS=1 $(BIN)/python data/pitch/evaluate.py

calibrate: $(STAMP) ## Maintainers: the Monte Carlo study of the analysis, resumable (about half an hour from nothing)
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/calibration/run.py

bench-analysis: $(STAMP) ## Maintainers: speed of the analysis beside statsmodels and NumPy
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/analysis.py

bench: $(STAMP) ## Maintainers: what labelling 100 thousand, 1 and 10 million messages costs, beside other ways (a quarter of an hour)
	@$(BIN)/python benchmarks/scale/run.py

bench-streams: $(STAMP) ## Maintainers: memory and speed on mailboxes and chats of 2 GB (benchmarks/streams.csv)
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/streams.py

fuzz: $(STAMP) $(VENV)/.fuzz ## Maintainers: fuzz the readers (SECONDS=180 for each; READERS="mbox zip")
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/fuzz/fuzz.py $(READERS) --seconds $(or $(SECONDS),180)

bench-text: $(STAMP) $(VENV)/.bench ## Maintainers: how fast texts are scored, as ratios (benchmarks/text.csv)
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/text.py
