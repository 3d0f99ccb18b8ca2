#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of docs/RELEASE.md, in a clone and with a key that are created for it. Needs no root.

bats_require_minimum_version 1.5.0

TREE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup() {
	git -C "$TREE" rev-parse 2>/dev/null || skip "no git here, or no repository"
	GNUPGHOME=$(mktemp -d) # short, because of its sockets
	export GNUPGHOME
	export GIT_CONFIG_GLOBAL=$BATS_TEST_TMPDIR/gitconfig GIT_CONFIG_NOSYSTEM=1
	git config --global user.name tester
	git config --global user.email tester@example.com
	git config --global safe.directory '*'
	gpg --batch --quiet --passphrase '' --quick-generate-key 'tester <tester@example.com>' default sign 1d
	git clone -q "$TREE" "$BATS_TEST_TMPDIR/clone"
	cd "$BATS_TEST_TMPDIR/clone" || return
}

teardown() {
	[ -z "${GNUPGHOME:-}" ] || gpgconf --kill all
	rm -rf "${GNUPGHOME:-}"
}

# steps NUMBER: the commands of an example of docs/RELEASE.md.
steps() {
	/usr/bin/python3 "$TREE/tests/lib/examples.py" "$TREE/docs/RELEASE.md" |
		jq -r --argjson number "$1" '.[$number].steps[].command'
}

# release VERSION: prepared in the clone, by the steps that precede the commands.
release() {
	sed -i "0,/^## \[[0-9.]*\].*/s//## [$1] - 2026-12-01/" CHANGELOG.md
	{
		printf 'wgvia (%s) unstable; urgency=medium\n\n  * Another one.\n\n' "$1"
		printf ' -- tester <tester@example.com>  Tue, 01 Dec 2026 12:00:00 +0000\n\n'
		cat packaging/debian/changelog
	} >changelog && mv changelog packaging/debian/changelog
	git commit -qam "release: $1"
	version=$1 bash -exc "$(steps 0)"
}

@test "a tag, an archive and a signature are made, and can be verified" {
	release 7.8.9
	version=7.8.9 bash -exc "$(steps 1)"
	[ "$(tar -xzOf build/wgvia-7.8.9.tar.gz wgvia-7.8.9/packaging/debian/changelog | head -n 1)" = \
		"wgvia (7.8.9) unstable; urgency=medium" ]
	# anybody can make the same archive from the tag
	git clone -q --branch v7.8.9 . ../again
	make -s -C ../again dist
	cmp ../again/build/wgvia-7.8.9.tar.gz build/wgvia-7.8.9.tar.gz
}

@test "a modified archive does not verify" {
	release 7.8.9
	printf x >>build/wgvia-7.8.9.tar.gz
	run ! env version=7.8.9 bash -exc "$(steps 1)"
	run ! gpg --verify build/wgvia-7.8.9.tar.gz.asc
}
