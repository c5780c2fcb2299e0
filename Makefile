# `make demo` and `make test` do all of their own set-up; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGIN := plugins/snakemake-executor-plugin-aws-batch-array
EMULATOR := plugins/aws-batch-emulator
SCAN ?=
CONE ?=
VERSION_TAG = $(shell git tag --points-at HEAD --list 'v*' | sed -n '1s/^v//p')
COMMIT_TAG = git-$(shell git rev-parse --short=12 HEAD)
# Of the same sources with newer packages of Debian: REBUILT=2026-11-30 tells it from the first.
IMAGE_TAG = $(if $(REBUILT),$(COMMIT_TAG)-$(REBUILT),$(or $(VERSION_TAG),$(COMMIT_TAG)))
# Measured for Linux x86-64; installed they take thrice as much.
DOWNLOAD_run := 310
DOWNLOAD_dev := 520
# Each worker has its own emulators; tests of one file share one. The longest start first: conftest.py.
# One thread for linear algebra in each: more of them than cores wait for one another, 30 times over.
PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help demo demo-aws smoke-aws test test-fast lint dag docs docs-site dist bench image push
.PHONY: security clean requirements aws-calls can-link

help:  ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: foretell-run can-link $(VENV)/run.stamp  ## Reconstruct the demo scan, CONE=1 for a cone beam, or SCAN=path/to/scan.h5
	@$(BIN)/tomobatch demo $(if $(CONE),--cone) $(if $(SCAN),"$(SCAN)")

demo-aws: foretell-dev can-link $(VENV)/dev.stamp  ## The same on emulated AWS Batch, where every job really runs
	@$(BIN)/aws-batch-emulator run --env TOMOBATCH_DEVICE=cpu -- \
		$(BIN)/tomobatch demo --profile profiles/aws $(if $(CONE),--cone) $(if $(SCAN),"$(SCAN)")

test: $(VENV)/dev.stamp  ## Run all tests
	$(PYTEST) --durations=10

test-gpu: $(VENV)/dev.stamp  ## Run the tests of all kernels on a GPU instead of the CPU
	$(PYTEST) --gpu tests/opencl/test_kernels.py tests/reconstruct tests/normalise

test-fast: $(VENV)/dev.stamp  ## Run the quick tests, which start no other process: numerics, readers, plans
	$(PYTEST) -m "not processes and not long"

smoke-aws: $(VENV)/dev.stamp  ## Try a real account, after asking: 30 minutes, under 20 cents
	$(BIN)/python -m tests.smoke.aws

lint: $(VENV)/dev.stamp $(VENV)/lint.h5  ## Check style, types, workflow, templates and image
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint --config 'scans={demo: $(VENV)/lint.h5}'
	$(BIN)/yamllint .
	$(BIN)/cfn-lint --custom-rules cloudformation/cfn-lint-rules.txt -- cloudformation/*.yaml
	$(BIN)/hadolint --failure-threshold warning docker/Dockerfile

bench: .venv-bench/stamp  ## Compare the reconstruction with its peers; takes an hour
	.venv-bench/bin/python benchmarks/reconstruction.py

security: .venv-security/stamp  ## Scan templates and Dockerfile with checkov
	.venv-security/bin/checkov

image:  ## Build the container image
	BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build --platform linux/amd64 \
		--file docker/Dockerfile --tag tomobatch \
		--build-arg VERSION="$$(git describe --tags --always)" .

push: $(VENV)/run.stamp  ## Push the image, by its tag v* or else its commit, to REPOSITORY_URI
	@$(BIN)/tomobatch push --if-absent --image tomobatch --tag "$(IMAGE_TAG)" \
		--repository "$${REPOSITORY_URI:?set it to the output RepositoryUri of the stacks}"

dag: $(VENV)/run.stamp  ## Draw every job of the configured scans into dag.svg
	@$(BIN)/tomobatch dag --force

dist: $(VENV)/dev.stamp  ## Build the three distributions into build/dist, and check them
	rm -rf build/dist
	for source in . $(PLUGIN) $(EMULATOR); do \
		$(BIN)/python -m build --no-isolation --outdir build/dist $$source || exit; \
	done
	$(BIN)/python -m twine check --strict build/dist/*

docs-site: $(VENV)/dev.stamp  ## Build the documentation as a site, build/site
	$(BIN)/python docs/make_site.py

docs: $(VENV)/dev.stamp  ## Make the reference pages anew
	$(BIN)/python -m tomobatch.config.reference
	$(BIN)/python -m tomobatch.config.json_schema
	$(BIN)/python -m tomobatch.cli.reference

aws-calls: $(VENV)/dev.stamp  ## Live a run's whole life on the emulator, write every AWS call down
	$(BIN)/python docs/make_aws_calls.py

clean:  ## Remove the environments and caches; scans and results stay
	rm -rf $(VENV) .venv-bench .venv-security .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@echo "scans/, results/, results-aws/ and .snakemake/ are yours: they stay"

requirements: $(VENV)/dev.stamp  ## Pin the requirement files anew
	$(UV_COMPILE) requirements/run.in -o requirements/run.txt
	$(UV_COMPILE) requirements/dev.in -o requirements/dev.txt -c requirements/run.txt
	$(UV_COMPILE) requirements/bench.in -o requirements/bench.txt -c requirements/run.txt
	$(UV_COMPILE) requirements/security.in -o requirements/security.txt
	$(UV_COMPILE) --no-deps requirements/vkfft.in -o requirements/vkfft.txt

# The first line of a demo in a fresh clone: what will happen, how long, how much is downloaded.
foretell-%:
	@test -e $(VENV)/$*.stamp || echo "Once: some $(DOWNLOAD_$*) MB of packages are downloaded into $(VENV), 1 to 5 minutes;" \
		"then $(if $(SCAN),$(SCAN) is reconstructed,a scan is made and reconstructed here in a minute or two)."

# Said before hundreds of megabytes are downloaded.
can-link:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 11))' \
		|| $(PYTHON) -I src/tomobatch/opencl/link_tools.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $(PYTHON) is older than 3.11; run make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.platform not in ("linux", "darwin"))' \
		|| { echo "error: Linux or macOS is needed; on Windows, WSL 2: docs/how-to/platforms.md" >&2; exit 1; }
	@$(PYTHON) -c 'import platform; print("" if (platform.system(), platform.machine()) == ("Linux", "x86_64") \
		else "An OpenCL device comes from conda or the system here: docs/how-to/platforms.md")'
	$(PYTHON) -m venv $(VENV)

# Its scanner pins a boto3 of its own.
.venv-security/stamp: requirements/security.txt
	$(PYTHON) -m venv .venv-security
	@.venv-security/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv-bench/stamp: requirements/bench.txt
	$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check \
		--no-build-isolation --no-deps -e $(PLUGIN) -e $(EMULATOR) -e .
	@touch $@

# The workflow is checked with a scan, since it looks at its scans first.
$(VENV)/lint.h5: | $(VENV)/dev.stamp
	$(BIN)/tomobatch phantom $@ --size 32

# A set of requirements is installed once, and again only when its pins change.
$(VENV)/%.stamp: requirements/%.txt pyproject.toml $(PLUGIN)/pyproject.toml $(EMULATOR)/pyproject.toml | $(VENV)/bin/python
	@echo "Once: downloading some $(or $(DOWNLOAD_$*),hundreds of) MB of packages into $(VENV), 1 to 5 minutes ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
		-e $(PLUGIN) -e $(EMULATOR) -e .
	@touch $@
