# Every developer command. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What the tests talk to, and what makes archives and disk images for them.
PEERS := postfix slapd dovecot-imapd clamav-daemon c-icap libc-icap-mod-virus-scan dosfstools mtools genisoimage qemu-utils opendkim knot gsasl curl swaks
# Tests run on this many processes.
JOBS ?= 2

.PHONY: help install dev run test check bench bench-dlp bench-content bench-accounts bench-flood train passwords dlp-page soak format lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Sekisho needs Python 3.11 or newer; try: make PYTHON=python3.12 install" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || .ci/packages python3-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/pyvenv.cfg requirements.lock requirements-build.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-build.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/.installed ## build .venv with the gateway and its locked dependencies
	@.ci/packages libarchive13 libseccomp2

dev: $(VENV)/.installed-dev ## the same with what tests and checks need

run: install ## start the gateway on 127.0.0.1:2525 and send it a first message
	$(BIN)/sekisho serve --first-message

test: install dev ## everything that is tested; installs the system packages the tests talk to (as root)
	@.ci/packages $(PEERS)
	$(BIN)/pytest -n $(JOBS) --dist loadgroup

check: dev ## formatting, lint, types and architecture: what CI checks beside the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/architecture

soak: install dev ## the long form of the reliability tests (about half an hour)
	@.ci/packages postfix
	$(BIN)/pytest -m soak --timeout 3600 tests/integration

bench: dev ## messages per second, latency and memory beside Postfix, rspamd and aiosmtpd
	$(BIN)/python bench/run.py

bench-dlp: dev ## precision, recall, false alarms and speed of the leak rules beside Presidio and detect-secrets
	$(BIN)/python bench/dlp.py

train: dev ## train the content model anew from ../shared/data and train/written (some minutes)
	$(BIN)/python train/model.py

passwords: dev ## build the filter of common passwords anew from ../shared/data and lists
	$(BIN)/python train/passwords.py

bench-content: dev ## spam, phishing and fraud found at 0.1 % false alarms, beside SpamAssassin and rspamd
	$(BIN)/python bench/content.py

bench-accounts: dev ## takeovers of accounts noticed, how soon, and honest accounts locked, in made-up account-years
	$(BIN)/python bench/accounts.py

bench-flood: dev ## honest clients while others attack: latency, memory, nothing lost, recovery
	$(BIN)/python bench/flood.py

bench-mailauth: dev ## DKIM signatures made and verified a second, beside dkimpy and bare RSA
	$(BIN)/python bench/mailauth.py

dlp-page: dev ## write docs/reference/dlp.md from the rules
	$(BIN)/python bench/dlp_reference.py

format: dev ## put the code into the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 requirements-build.in -o requirements-build.lock
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --group dev -o requirements-dev.lock

clean: ## remove what was built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
