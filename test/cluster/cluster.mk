# A real control plane on loopback: test/cluster/README.md.
.PHONY: cluster-build cluster-up cluster-down openapi record record-builtin

cluster-build: setup ## builds the control plane for tests from Go modules, once
	node --import tsx test/cluster/main.ts build

cluster-up: setup ## starts a control plane in the background and prints its KUBECONFIG
	@node --import tsx test/cluster/main.ts up

cluster-down: ## stops the control plane that cluster-up started
	@node --import tsx test/cluster/main.ts down

openapi: setup ## writes what the built-in kinds look like from a real API server
	node --import tsx test/cluster/openapi-generate.ts

record-builtin: setup ## records what a real API server makes of objects of every built-in kind
	node --import tsx test/cluster/builtin/record.ts

record: record-builtin ## records that, and what it makes of patches, custom resources and webhooks
	node --import tsx test/cluster/patch/record.ts
	node --import tsx test/cluster/schema/record.ts
	node --import tsx test/cluster/webhooks/record.ts
