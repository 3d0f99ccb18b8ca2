# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Commands whose Nth change of the system fails, or before which they are killed: for faults.bats and index.bats, in
# addition to net.bash, which must be loaded first.

FAULT_SO=$TREE/build/tests/net/fault.so
[ -e "$FAULT_SO" ] || { echo "$FAULT_SO is missing: make tools" >&2 && exit 1; }

# faulty NUMBER fail|kill COMMAND...: see fault.c. Fails like the command; $fault shows whether the fault happened.
faulty() {
	local number=$1 kind=$2 file=$BATS_TEST_TMPDIR/fault status=0
	shift 2
	rm -f "$file"
	LD_PRELOAD=$FAULT_SO FAULT=$kind FAULT_AT=$number FAULT_FILE=$file \
		wgvia "$@" >"$BATS_TEST_TMPDIR/faulty" 2>&1 || status=$?
	# shellcheck disable=SC2034 # for the caller
	[ -e "$file" ] && fault=yes || fault=no
	return $status
}
