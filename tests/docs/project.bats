#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# For contributors and hosting sites: make help, the workflow, templates, the glossary. Needs no root.

# shellcheck disable=SC2016 # backquotes of Markdown

load ../lib/docs.bash

@test "make help lists each target and each variable" {
	local help word
	help=$(make -s -C "$TREE" help)
	while IFS= read -r word; do
		is_in "make $word " "$help"
	done < <(sed -n 's/^\.PHONY: all help //p' "$TREE/Makefile" | tr ' ' '\n')
	while IFS= read -r word; do
		grep -qw "$word" <<<"$help" || { echo "make help has no $word" && return 1; }
	done < <(sed -nE 's/^([A-Z_]+) \?=.*/\1/p; s/^ifeq \(\$\(origin ([A-Z]+)\),default\).*/\1/p' "$TREE/Makefile")
}

@test "workflows and templates are valid, and run existing files" {
	/usr/bin/python3 - "$TREE" <<-'END'
		import glob, os, sys
		import yaml

		tree = sys.argv[1]
		flow = yaml.safe_load(open(f"{tree}/.github/workflows/check.yml"))
		commands = [step["run"] for step in flow["jobs"]["check"]["steps"] if "run" in step]
		assert commands[-1] == ".ci/run" and os.access(f"{tree}/.ci/run", os.X_OK), commands
		assert set(flow[True]) == {"push", "pull_request"}, flow # "on" is a truth value in YAML 1.1
		assert flow["permissions"] == {"contents": "read"}
		names = glob.glob(f"{tree}/.github/ISSUE_TEMPLATE/*.md")
		assert len(names) == 2
		for name in names:
		    head = yaml.safe_load(open(name).read().split("---\n")[1])
		    assert head["name"] and head["about"], name
		yaml.safe_load(open(f"{tree}/.github/ISSUE_TEMPLATE/config.yml"))
	END
}

# rows: those of the glossary, one per line.
rows() {
	sed -n '/^## Glossary/,/^## /p' "$TREE/CONTRIBUTING.md" | sed -n 's/^| \([a-z][a-z ,]*\) |.*/\1/p' | grep -vx term
}

@test "terms of the glossary are sorted, and in use in wgvia(8)" {
	local term text
	text=$(manual_text)
	same "$(rows | LC_ALL=C sort)" "$(rows)" "the order of the glossary"
	[ "$(rows | wc -l)" -gt 20 ]
	while IFS= read -r term; do
		grep -qiwE "${term}s?" <<<"$text" || { echo "wgvia(8) does not use '$term'" && return 1; }
	done < <(rows | sed 's/, /\n/g')
}

@test "the floors of scripts/check are those that CONTRIBUTING.md lists" {
	same "$(sed -n 's/^floors=(\(.*\))$/\1/p' "$TREE/scripts/check" | tr ' ' '\n' | sort)" \
		"$(sed -n '/^## Test/,/^## /s/^| \(`.*`\) |.*|.*/\1/p' "$TREE/CONTRIBUTING.md" | tr -d '\140 ' | tr ',' '\n' | sort)" \
		CONTRIBUTING.md
}
