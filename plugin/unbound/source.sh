#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by build.sh and by what the package holdfast-unbound builds with: unbound's source, as the distribution has it, and what the
# installed unbound was built with. The caller gives the folder $work and the file $log, and two functions that end it: fail (with what
# went wrong) and no_source (where the source cannot be had here).

# The machine's own package sources, as sources of source packages, in a configuration of our own: nothing in /etc changes.
apt_configure()
{
	local parts=$work/apt/sources file

	rm -rf "$work/apt"
	mkdir -p "$parts" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
	: >"$work/apt/empty.list"
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -e "$file" ] && sed 's/^Types:.*/Types: deb-src/' "$file" >"$parts/${file##*/}"
	done
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -e "$file" ] && sed -nE 's/^deb(-src)?([[:space:]])/deb-src\2/p' "$file" | sort -u >"$parts/${file##*/}"
	done
	apt_options=(-q -o Dir::Etc::sourcelist="$work/apt/empty.list" -o Dir::Etc::sourceparts="$parts"
		-o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=)
}

# The version of the installed unbound's source package; nothing: the newest that there is.
wanted_version()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' unbound 2>/dev/null)" = installed ] &&
		dpkg-query -W -f '${source:Version}' unbound
}

# Leaves the source, patched as the distribution has it, in $work/src.
fetch_source()
{
	local version dsc

	version=$(wanted_version)
	if [ -e "$work/src/configure" ] && [ "$(cat "$work/version" 2>/dev/null)" = "${version:-newest}" ]; then
		return
	fi
	command -v apt-get >/dev/null ||
		no_source "no apt-get here; configure unbound's source yourself and give it as -Dunbound_source=DIR"
	echo "unbound: fetching the source of ${version:-the newest version}"
	rm -rf "$work"
	mkdir -p "$work/fetched"
	apt_configure
	# One source without source packages is no reason to fail: what counts is that ours is found.
	apt-get "${apt_options[@]}" update >>"$log" 2>&1
	(cd "$work/fetched" && apt-get "${apt_options[@]}" source --download-only \
		"unbound${version:+=$version}") >>"$log" 2>&1 ||
		no_source "the source package of unbound${version:+ $version} is not in this machine's package sources ($log)"
	dsc=$(echo "$work"/fetched/*.dsc)
	dpkg-source --no-copy -x "$dsc" "$work/src" >>"$log" 2>&1 ||
		{ tail -n 5 "$log" >&2; fail "the source package does not unpack"; }
	rm -rf "$work/fetched" "$work/apt"
	echo "${version:-newest}" >"$work/version"
}

has_dynlib()
{
	"$1" -V 2>/dev/null | grep -q '^Linked modules:.*\bdynlib\b'
}

configure()
{
	(cd "$work/src" && ./configure "$@") >>"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; fail "unbound's configure failed"; }
}

# For an unbound that can load modules only its headers are needed, configured as it was: what it was built with says which
# members its structs have. Python and systemd change none that the module sees, and want more packages.
configure_like()
{
	local words word is options=()

	[ "$(cat "$work/like" 2>/dev/null)" = "$1" ] && return
	read -r -a words <<<"$("$1" -V | sed -n 's/^Configure line: //p')"
	for word in "${words[@]}"; do
		case $word in
		*python* | *pyunbound* | --enable-systemd) ;;
		--enable-* | --disable-* | --with-* | --without-*) options+=("$word") ;;
		esac
	done
	echo "unbound: configuring its source as $1 was"
	configure "${options[@]}"
	is=$("$1" -V | sed -n 's/^Version //p')
	grep -q "^#define PACKAGE_VERSION \"$is\"" "$work/src/config.h" ||
		fail "$1 is version $is, the source is another: configure its source and give it as -Dunbound_source=DIR"
	# The headers that the build makes.
	make -C "$work/src" util/configparser.h >>"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; fail "unbound's headers cannot be made"; }
	echo "$1" >"$work/like"
}
