#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by tests/run.sh and examples/quickstart.sh: the Debian packages that a section of
# tests/packages.txt names are installed if they are missing. Nothing else on the machine changes.

packages_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packages_file=$packages_top/tests/packages.txt
packages_log=$packages_top/build/packages.log # what apt-get says

# packages_list SECTION...: the packages of these sections, one a line
packages_list()
{
	awk -v wanted=" $* " '
		/^# [a-z]+$/ { on = index(wanted, " " $2 " "); next }
		/^#/ || !NF  { next }
		on           { print $1 }' "$packages_file"
}

packages_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# packages_choose A|B|...: nothing if one of them is installed, else the first that apt knows, else the first
packages_choose()
{
	local names name

	IFS='|' read -r -a names <<<"$1"
	for name in "${names[@]}"; do
		packages_installed "$name" && return
	done
	for name in "${names[@]}"; do
		packages_known "$name" && { echo "$name"; return; }
	done
	echo "${names[0]}"
}

# packages_missing SECTION...: those of them that are not installed
packages_missing()
{
	local name

	packages_list "$@" | sort -u | while read -r name; do
		packages_choose "$name"
	done
}

packages_as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

packages_apt()
{
	packages_as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$packages_log" 2>&1
}

# True if apt's lists know every one of the packages given.
packages_known()
{
	local name

	for name; do
		apt-cache policy "$name" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
	done
}

# Installs the packages given, in a subshell so that its trap ends with it. What comes along as a
# service (a name server, say) shall not start by itself: Debian asks /usr/sbin/policy-rc.d. One that
# is there already is the machine's own and stays; ours carries a mark, so that one left behind
# by a killed run is known, and goes.
packages_add()
(
	policy=/usr/sbin/policy-rc.d
	mark='made by holdfast, for one apt-get run'

	if [ ! -e "$policy" ] && [ ! -L "$policy" ]; then
		printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" |
			packages_as_root sh -c "umask 022; cat > $policy && chmod 755 $policy"
	fi
	if grep -qs "$mark" "$policy"; then
		trap 'packages_as_root rm -f "$policy"' EXIT
		trap 'exit 130' INT TERM HUP
	fi

	if packages_known "$@" && packages_apt install --no-install-recommends "$@"; then
		exit 0
	fi
	echo "packages: apt-get update"
	packages_apt update && packages_apt install --no-install-recommends "$@"
)

# packages_install SECTION...: 0 if all of them are there in the end
packages_install()
{
	local missing

	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		echo "packages: no apt-get here; these must be there by other means:"
		packages_list "$@" | sort -u | paste -sd ' '
		return 0
	fi
	missing=$(packages_missing "$@")
	if [ -z "$missing" ]; then
		echo "packages: all there ($(packages_list "$@" | sort -u | wc -l) of: $*)"
		return 0
	fi
	missing=$(paste -sd ' ' <<<"$missing")
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "packages: missing, and neither root nor sudo here. As root:"
		echo "apt-get update && apt-get install --no-install-recommends $missing"
		return 1
	fi
	echo "packages: installing $missing"
	mkdir -p "${packages_log%/*}"
	# shellcheck disable=SC2086 # one word a package
	if ! packages_add $missing; then
		echo "packages: apt-get failed; the end of $packages_log:"
		tail -n 20 "$packages_log"
		return 1
	fi
}
