# Needs make and Python 3.11 or newer, nothing else.
#
#   make run     the whole portal in one process, at http://127.0.0.1:8000/ (PORT=8001 make run: elsewhere)
#   make test    the test suite, without the browser's and the fault tests (.ci/run runs everything)
#   make bench   how quick it is; needs PostgreSQL and Redis (benchmarks/README.md)
#   make faults  hours of kills, crashes and cut lines; needs PostgreSQL, Redis and Debian's faketime (CONTRIBUTING.md).
#                FAULTS="--jobs 4" make faults: on four installations side by side; FAULTS="F5 F7 --runs 3": some of
#                them; FAULTS=--help: what can be said

PYTHON ?= python3
PORT ?= 8000
export PORT

# Where it is set, each of the many processes that tests and faults start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test bench faults

# exec: Ctrl-C and kill reach the portal itself.
run: .venv/installed
	@exec .venv/bin/python -m securemsg.newcomer

test: .venv/installed
	@.venv/bin/python -m pytest -n auto -m "not browser and not faults"

bench: .venv/installed
	@.venv/bin/python -m benchmarks $(BENCH)

faults: .venv/installed
	@.venv/bin/python -m tests.faults $(FAULTS)

# Made anew only when the lock file has changed.
.venv/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "securemsg needs Python 3.11 or newer; $(PYTHON) is" `$(PYTHON) --version 2>&1`". Set PYTHON=python3.11, say." >&2; \
	  exit 1; }
	@echo "Installing what requirements.lock names into .venv (once; takes a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@
