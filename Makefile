# Every task of the project. CI calls only these targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
READY := .venv/.ready
BIN := .venv/bin
# The order of tests is random, so that none needs another; `make test` takes the same one each time.
PYTEST := $(BIN)/pytest -n 2 -q
STEADY := --randomly-seed=1

.PHONY: help setup demo quick test lint unit conformance emulated search bench fuzz docs format clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(READY) ## install what is missing: Debian packages, .venv, third-party C sources

$(READY): pyproject.toml constraints.txt tools/debian-packages.txt tools/setup.sh
	@tools/setup.sh

demo: $(READY) ## one Runefile, one .rune, the same bytes on the host and on three emulated boards
	@$(BIN)/python tools/demo.py

quick: $(READY) ## less than a minute, between two edits: tests of each package (tests/quick.txt), no firmware
	$(PYTEST) $(STEADY) -m 'not emulated' --durations=5 --durations-min=1 @tests/quick.txt

test: lint unit ## everything that must pass before a commit

C_FILES = $(shell find firmware_templates runec/proc_blocks/sdk -name '*.[ch]' -o -name '*.cc' -o -name '*.cpp')

lint: $(READY) ## style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)

unit: $(READY) ## unit tests of each package, the examples end to end
	$(PYTEST) $(STEADY) -m 'not emulated'

conformance: $(READY) ## examples x {host, emulated boards}, byte for byte
	$(BIN)/python -m tools.conformance

emulated: $(READY) ## the tests that take long: firmware on emulated boards, sweeps of operators
	$(PYTEST) $(STEADY) -m emulated

search: $(READY) ## the properties again, with random examples in a random order
	$(PYTEST) -m 'hypothesis and not emulated' --hypothesis-profile search

bench: $(READY) ## instructions, flash and RAM of every example on QEMU beside the same pipeline without a sandbox; start-up
	$(BIN)/python -m tools.bench

FUZZ_SECONDS ?= 60

fuzz: $(READY) ## every reader of untrusted bytes, FUZZ_SECONDS=60 each; findings in build/fuzz
	$(BIN)/python tools/fuzz.py --seconds $(FUZZ_SECONDS)

docs: $(READY) ## write docs/cli.md from the commands, the tables of docs/runefile.md from the compiler, the wiring pictures from the board files
	$(BIN)/python tools/cli_page.py
	$(BIN)/python tools/runefile_page.py
	$(BIN)/python tools/wiring_pictures.py

format: $(READY) ## format with ruff and clang-format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/clang-format -i $(C_FILES)

clean: ## remove build outputs, not what setup installed
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
