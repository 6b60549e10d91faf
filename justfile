# The commands that contributors run. Each recipe only calls cargo or a script, which also run without `just`.

# Lists the recipes.
default:
    @just --list

# Starts the whole stack on this machine.
run *options:
    cargo run -- {{options}}

# Runs all tests that need Rust alone.
test *options:
    cargo test --locked {{options}}

# Checks format and lints of the code.
lint:
    .ci/run checks

# Proves everything that a change to the main branch has to keep, or only the given parts.
ci *parts:
    .ci/run {{parts}}

# Checks template.yaml and the workflows.
template:
    scripts/check-template

# Checks licences, bans and sources of all dependencies.
dependencies:
    scripts/check-dependencies

# Lints openapi.yaml, drives the running service by it, and runs the snippets of docs/api.md.
api:
    .ci/run api

# Runs the engine's tests and the journeys on a second emulator of DynamoDB.
second-engine:
    scripts/second-engine

# Fuzzes every parser of the engine and the API, each for some seconds.
fuzz *options:
    scripts/fuzz {{options}}

# Checks that the tests notice each part of each condition that is left out, and each change to the core and the store.
mutants *options:
    scripts/mutants {{options}}

# Runs the functions as they are deployed, in Docker.
sam-local:
    scripts/sam-local

# Lists what each function is built of, as CycloneDX.
sbom architecture="arm64":
    scripts/sbom {{architecture}}

# Tests the user stores of the examples and the adapters.
user-stores:
    .ci/run adapters

# Checks the browser client and the recovery page.
web:
    scripts/check-web

# Tests the recovery page in a browser.
page:
    scripts/test-page

# Compares response times of known and unknown addresses.
rank:
    cargo test --locked --test rank

# Tests whether a deployed stack recovers.
smoke stack:
    scripts/smoke {{stack}}

# Computes what Regain costs, from template.yaml and AWS's prices.
cost *options:
    scripts/cost {{options}}

# Simulates many recoveries a second by the settings of template.yaml.
simulate *options:
    scripts/simulate {{options}}

# Lints the scripts and the workflows.
scripts:
    scripts/check-scripts

# Checks that a release can be deployed by the SAM CLI, the CDK and Terraform.
deploy *release:
    scripts/check-deploy {{release}}

# Makes the files of a release, in target/release-files.
release *architectures:
    scripts/release {{architectures}}
