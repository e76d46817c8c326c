# Sextant's commands. `make demo` shows it at work, `make test` runs everything; `make help` lists the rest.

# One cache outside the clone, so that SP1 is compiled once per machine. Override any of these.
SEXTANT_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sextant
CARGO_TARGET_DIR ?= $(SEXTANT_CACHE)/target
export SEXTANT_CACHE CARGO_TARGET_DIR

.DEFAULT_GOAL := help
.PHONY: help setup build demo test third-party torture vectors fuzz guest-cost bench verify-rate programs programs-check \
  fmt lint lint-deploy docs

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## Install what building needs and the machine lacks (Debian packages)
	@scripts/setup.sh

build: setup ## Build the server and the client
	cargo build --release --workspace

demo: build ## Prove and verify both statements on real mainnet data through a real server
	@scripts/demo.sh

test: setup ## Run every test
	@scripts/test.sh

third-party: setup ## Test the changed crates of others against the originals
	@scripts/third-party.sh

torture: setup ## Do to a server what strangers may do: a million broken messages and more, in numbers (minutes)
	cargo build --release -p proof-server
	cargo run --release --quiet -p sextant-tests --bin torture

vectors: setup ## Run the specification's light-client vectors, or those under DIR=path
	@cargo run --release --quiet -p sextant-vectors --bin vectors -- $(DIR)

fuzz: setup ## Fuzz every decoder of untrusted bytes, SECONDS_EACH=600 each (needs nightly Rust and cargo-fuzz)
	@scripts/fuzz.sh $(or $(SECONDS_EACH),600)

guest-cost: setup ## Cycles, gas and precompile calls of both guests, without proving
	cargo run --release --quiet -p sextant-tests --bin guest-cost

bench: setup ## Time and memory of real proofs against an empty program (KINDS="stark compressed" RUNS=2); run nothing beside it
	@cargo run --release --quiet -p sextant-tests --bin bench -- $(KINDS)

verify-rate: setup ## Proofs verified in a second, directly and through the server (KINDS="stark compressed")
	cargo build --release -p proof-server
	@cargo run --release --quiet -p sextant-tests --bin verify-rate -- $(KINDS)

programs: setup ## Rebuild both guests into artifacts/
	programs/build.sh --install

programs-check: setup ## Rebuild both guests and compare them with artifacts/
	programs/build.sh --check

fmt: ## Check the format
	cargo fmt --all --check
	rustfmt --check --edition 2024 --config-path rustfmt.toml $(wildcard programs/*/src/main.rs)

lint: setup ## Clippy, warnings denied
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo clippy --release -p proof-server --no-default-features -- -D warnings

lint-deploy: ## Check deploy/ with the linters of its formats (from PyPI and the Go module proxy)
	@scripts/lint-deploy.sh

docs: setup ## Build the API documentation, warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps
