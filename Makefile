PYTHON = .venv/bin/python
CODE = $(wildcard keyadmin accounts tests manage.py)
COMPILE = pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# The checks must say the same on every machine: no setting of the developer reaches them.
SETTINGS = $(filter KEYADMIN_% %DATABASE_URL REDIS_URL EMAIL_URL API_KEY_ROUNDS_NO DJANGO_SETTINGS_MODULE,$(.VARIABLES))

ELSEWHERE = api pages running e2e

.PHONY: help run check test in-browser soak bench lock picture

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1 - /p' Makefile

run: ## start Keyadmin, after setting it up where need be (with a demo: make run ARGS=--demo)
	@scripts/setup
	@exec $(PYTHON) manage.py up $(ARGS)

check: ## lint, types and Django's own checks
	@scripts/setup dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	@unset $(SETTINGS); data=$$(mktemp -d); trap 'rm -rf "$$data"' EXIT; \
	export KEYADMIN_DATA_DIR="$$data" KEYADMIN_PUBLIC_URL=https://keys.example.org; set -ex; \
	$(PYTHON) -m mypy --strict $(CODE); \
	$(PYTHON) manage.py check --deploy --fail-level WARNING; \
	$(PYTHON) manage.py makemigrations --check --dry-run

test: ## everything that must pass: checks, tests on SQLite, on PostgreSQL and in Chromium, four at the same time
	@scripts/setup dev
	@$(MAKE) --no-print-directory -j4 --output-sync=target \
		in-browser running-on-sqlite doors-on-sqlite rooms-on-sqlite \
		doors-on-postgres rooms-on-postgres running-on-postgres check

doors-on-%:
	$(PYTHON) -m pytest -q --database=$* tests/api tests/pages $(ARGS)

rooms-on-%:
	$(PYTHON) -m pytest -q --database=$* $(ELSEWHERE:%=--ignore=tests/%) $(ARGS)

running-on-%:
	$(PYTHON) -m pytest -q --database=$* tests/running $(ARGS)

in-browser:
	$(PYTHON) -m pytest -q --database=sqlite tests/e2e $(ARGS)

soak: export KEYADMIN_SOAK = 1
soak: test ## the same with the full numbers of kills, histories and fuzzing

bench: ## the table of performance, as ratios (needs wrk; peers are installed in an environment of their own)
	@scripts/setup dev
	@unset $(SETTINGS); $(PYTHON) -m tests.benchmarks

picture: ## the README's pictures of the demo, taken in a real browser
	@scripts/setup dev
	@unset $(SETTINGS); $(PYTHON) -m tests.picture

lock: ## resolve pyproject.toml into both lock files, keeping the pins that fit (newest: make lock ARGS=--upgrade)
	@scripts/setup
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; set -e; PATH="$$PATH:$$tmp/bin"; \
	command -v uv >/dev/null || { $(PYTHON) -m venv "$$tmp"; "$$tmp/bin/python" -m pip install -q uv; }; \
	uv $(COMPILE) $(ARGS) -o requirements.txt pyproject.toml; \
	uv $(COMPILE) $(ARGS) -o requirements-dev.txt -c requirements.txt --group dev pyproject.toml
