#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The Debian package: built by scripts/deb, then installed, used, upgraded and purged on the topology's gateway. This
# host's own files are seen through an overlay, so that what dpkg does ends with the test, and stands there to be looked
# at; the bpffs is one of its own, too.

# shellcheck disable=SC2016,SC2153,SC2154 # the inner shell's variables; `run` sets $status, $output

export BATS_TEST_TIMEOUT=900 # two compilers and lintian, on a slow machine
load ../lib/net.bash

# Where the release has its units: Debian 12 below /lib, later ones below /usr/lib.
UNITS=/usr/lib/systemd/system
! grep -q '^12' /etc/debian_version || UNITS=/lib/systemd/system

setup_more() {
	export LAYER PACKAGES HOLDER
	LAYER=$(mktemp -d) PACKAGES=$(mktemp -d)
	mount -t tmpfs wgvia "$LAYER"
	mkdir "$LAYER"/{changed,work,root}
	spawn "$NS_GW" overlay unshare --mount --propagation private bash -ec '
		mount -t overlay wgvia -o "lowerdir=/,upperdir=$0/changed,workdir=$0/work" "$0/root"
		for folder in proc sys dev run tmp; do
			mount --rbind "/$folder" "$0/root/$folder"
		done
		mount -t bpf wgvia "$0/root/sys/fs/bpf"
		[ ! -e /run/systemd ] || mount -t tmpfs wgvia "$0/root/run/systemd" # not to be called
		touch "$0/root/tmp/${0##*/}.ready"
		exec chroot "$0/root" sleep infinity' "$LAYER"
	HOLDER=$(<"$TOPO_DIR/overlay.pid")
	poll 10 test -e "/tmp/${LAYER##*/}.ready"
	rm "/tmp/${LAYER##*/}.ready"
}

teardown_file() {
	topology_down
	umount "$LAYER"
	rm -rf "$PIN_DIR" "$LAYER" "$PACKAGES"
}

teardown() { :; }

# on_gateway COMMAND...: in the overlay and the gateway's network.
on_gateway() {
	nsenter --target "$HOLDER" --mount --root --wd=/ --net="/run/netns/$NS_GW" "$@"
}

installed_version() {
	on_gateway dpkg-query -W -f '${db:Status-Status} ${Version}\n' wgvia 2>/dev/null
}

redirected() {
	on_gateway wgvia -j stats wg6 | jq .counters.redirected.packets
}

# What dpkg has changed on this host, its own records aside.
changed() {
	local file
	(cd "$LAYER/changed" && find . -mindepth 1 -printf '%P\n') |
		grep -vE '^var/lib/dpkg(/(status|available|lock|triggers|diversions|statoverride)|/info$|/updates$|$)|^var/log/dpkg|^var/cache/man/' |
		while read -r file; do
			# a folder on the way to something; not a hole that hides what this host has
			[ -d "$LAYER/changed/$file" ] && [ -d "/$file" ] && continue
			# but for a folder of the package that was on this host, and empty: dpkg removes it with its own
			[ "$file" != etc/wgvia ] || [ -n "$(ls -A "/$file" 2>/dev/null)" ] || [ ! -c "$LAYER/changed/$file" ] ||
				continue
			echo "$file"
		done
}

@test "two builds are the same, lintian is content, and the package holds what it should" {
	local package file
	"$TREE/scripts/deb" "$PACKAGES/first"
	package=$(echo "$PACKAGES"/first/wgvia_*.deb)
	is "$(dpkg-deb -c "$package" | awk '$1 !~ /^d/ { print substr($6, 2) }' | sort)" "$({
		echo /usr/sbin/wgvia
		echo /usr/share/bash-completion/completions/wgvia
		echo /usr/share/doc/wgvia/{changelog.gz,copyright,wgvia.schema.json}
		for file in "$TREE"/README.md "$TREE"/docs/*.md; do # dh_compress leaves small ones as they are
			[ "$(stat -c %s "$file")" -le 4096 ] || file+=.gz
			echo "/usr/share/doc/wgvia/${file##*/}"
		done
		echo /usr/share/fish/vendor_completions.d/wgvia.fish
		echo /usr/share/lintian/overrides/wgvia
		echo /usr/share/wgvia/grafana/wgvia.json
		echo /usr/share/wgvia/prometheus/wgvia.rules.yml
		echo /usr/share/zsh/vendor-completions/_wgvia
		cd "$TREE" && for file in packaging/systemd/*.{service,timer} man/*.[1-8]; do
			case $file in
			*'*'*) ;;
			man/*) echo "/usr/share/man/man${file##*.}/${file##*/}.gz" ;;
			*) echo "$UNITS/${file##*/}" ;;
			esac
		done
	} | tr ' ' '\n' | sort)"
	is "$(dpkg-deb -f "$package" Version)" "$("$WGVIA" -V | sed 's/wgvia //')"
}

@test "it is built with what scripts/deps brings for a build" {
	local wanted
	wanted=$(sed -n '/^Build-Depends:/,/^[A-Z][a-z-]*:/{/^[BS ]/p}' "$TREE/packaging/debian/control" |
		sed 's/^Build-Depends://; /^Stan/d; s/[(<:][^,]*//; s/,//; s/debhelper-compat//; s/libcmocka-dev//' | xargs -n 1 | sort)
	is "$wanted" "$(sed -n "/^build='/,/'$/s/build=//p; /^	libjson-c-dev'/p" "$TREE/scripts/deps" | tr -d "'" | xargs -n 1 |
		grep -vxE 'gcc|make|libc6-dev' | sort)"
}

@test "installed and used" {
	on_gateway dpkg -i "$PACKAGES"/first/wgvia_*.deb
	on_gateway wgvia -V
	on_gateway wgvia up wg6 "${WORDS[@]}"
	answers "$NS_C1" "$SVC4" service "$C1_4"
	answers "$NS_C1" "$SVC6" service "$C1_6"
	# nothing is started or enabled unasked
	is "$(changed | grep -E '\.wants/')" ""
	# zsh finds its completion by itself
	is "$(on_gateway zsh -f -c 'autoload -Uz compinit; compinit -D; echo $_comps[wgvia]')" _wgvia
	# and so does fish
	is "$(on_gateway fish -c 'complete -C "wgvia chec"' | cut -f 1)" check
}

@test "upgraded while packets go" {
	local before redirected
	# on a terminal, where it says what it does
	script -qec "'$TREE/scripts/deb' --once --version '$(dpkg-deb -f "$PACKAGES"/first/wgvia_*.deb Version)+1' '$PACKAGES/second'" \
		/dev/null </dev/null >"$BATS_TEST_TMPDIR/steps"
	is "$(tr -d '\r' <"$BATS_TEST_TMPDIR/steps" | sed -n 's/^deb: //p')" "making the source archive
building the package"
	before=$(on_gateway wgvia -j show wg6 | jq -c '.attachments')
	redirected=$(redirected)
	stream 600 "$NS_C1" "$SVC4" on_gateway dpkg -i "$PACKAGES"/second/wgvia_*.deb
	is "$missing" 0
	# by way of the firewall, each of them
	[ $(($(redirected) - redirected)) -ge 600 ] || is "$(($(redirected) - redirected)) redirected" "600 redirected"
	[[ "$(on_gateway wgvia -V)" == *+1 ]]
	[[ "$(installed_version)" == "installed "*+1 ]]
	is "$(on_gateway wgvia -j show wg6 | jq -c '.attachments')" "$before"
	# the new program takes over what the old one has made
	stream 200 "$NS_C1" "$SVC6" on_gateway wgvia up wg6 "${WORDS[@]}" bypass 198.18.0.0/15
	is "$missing" 0
	answers "$NS_C1" "$SVC4" service "$C1_4"
}

@test "it stays where an instance cannot be taken down" {
	local version
	version=$(installed_version)
	# from another network namespace
	run nsenter --target "$HOLDER" --mount --root --wd=/ --net="/run/netns/$NS_SVC" dpkg -r wgvia
	[ "$status" -ne 0 ]
	[[ "$output" == *"'wg6' stays up, and so the package stays"* ]]
	on_gateway wgvia show wg6
	answers "$NS_C1" "$SVC4" service "$C1_4"
	on_gateway dpkg --configure -a
	is "$(installed_version)" "$version"
}

@test "removal takes down what is up, and says so" {
	run on_gateway dpkg -r wgvia
	echo "$output"
	is "$status" 0
	[[ "$output" == *"'wg6' is down"* ]]
	is "$(attached)" ""
	is "$(on_gateway find /sys/fs/bpf -name 'wg*')" ""
	times_out "$NS_C1" "$SVC4"
}

# enabled WANTS UNIT FILE: as by systemctl enable.
enabled() {
	on_gateway mkdir -p "/etc/systemd/system/$1"
	on_gateway ln -s "$UNITS/$3" "/etc/systemd/system/$1/$2"
}

@test "purged, and nothing is left, nor a link of a unit that was enabled" {
	enabled multi-user.target.wants wgvia@wg6.service wgvia@.service
	enabled wg-quick@wg6.service.wants wgvia@wg6.service wgvia@.service
	enabled timers.target.wants wgvia-metrics.timer wgvia-metrics.timer
	on_gateway dpkg -P wgvia
	run installed_version
	[[ "$output" != installed* ]]
	is "$(changed)" ""
}
