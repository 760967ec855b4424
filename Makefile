# The one list of commands. `make` prints it.
.DEFAULT_GOAL := help
.PHONY: help build release dist test faults soak simulation mutants check fmt demo bench

CARGO ?= cargo
# Each test waits more than it works: more of them at once than there are cores.
TEST_THREADS ?= 4

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build target/debug/jsorc
	$(CARGO) build --locked

release: ## Build target/release/jsorc: some seconds after an edit in services/
	$(CARGO) build --locked --release

dist: ## Build target/dist/jsorc, as it is deployed: small, some minutes
	$(CARGO) build --locked --profile dist --bin jsorc

demo: ## Watch it work on a cluster of its own (DEMO_KEEP=1 keeps it, DEMO_CONTEXT=NAME takes yours)
	@tests/install
	@$(CARGO) build --locked --bin jsorc --example demo
	@$(CARGO) run --locked --quiet --example demo

bench: ## Measure it beside the API server's bounds and other appliers (benches/README.md)
	@tests/install controlplane >/dev/null
	@$(CARGO) bench --locked --profile dist --bench bench --no-run
	@$(CARGO) bench --locked --profile dist --quiet --bench bench -- write target/bench/services
	@BENCH_EMBEDDED=$${BENCH_EMBEDDED-$$(benches/embed target/bench/services)} $(CARGO) bench --locked --profile dist --quiet --bench bench

test: ## Run every test against real servers, which it installs first
	tests/install
	$(CARGO) test --locked --doc
	$(CARGO) test --locked --lib --bins --tests -- --test-threads $(TEST_THREADS)

faults: ## Let every fault strike at every request of a full run, some minutes
	tests/install
	JSORC_FAULTS=all $(CARGO) test --locked --test it -- --nocapture faults::

soak: ## Keep a daemon among churn and faults for MINUTES (60)
	tests/install
	JSORC_SOAK=$${MINUTES-60} $(CARGO) test --locked --test it -- --nocapture soak::

simulation: ## Live SEEDS lives (100000) of the engine among faults, optimised, some minutes
	JSORC_SIMULATION_SEEDS=$${SEEDS-100000} $(CARGO) test --locked --profile simulation --lib -- --nocapture engine::simulation::the_laws

mutants: ## Break the engine on purpose, one law after another: the simulation has to notice
	tests/mutants

check: ## Check format, lints, documentation and dependencies
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
	.ci/deny

fmt: ## Format the sources
	$(CARGO) fmt
