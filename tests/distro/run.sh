#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs suites of tests/run.sh inside another release of Debian: its compiler, its libraries, its resolvers.

usage()
{
	cat <<-'END'
	usage: tests/distro/run.sh [--long] [--fresh] RELEASE [SUITE...]
	       tests/distro/run.sh --exec RELEASE COMMAND...
	       tests/distro/run.sh --builds RELEASE [ROW...]
	       tests/distro/run.sh --list

	  RELEASE  a row of the table in this file
	  SUITE    suites of tests/run.sh; without them, those of the release's row
	  --long   also the suites of the row's last column
	  --fresh  makes the root again
	  --exec   runs a command in the copied clone instead
	  --builds runs tests/distro/builds.sh there, with every gcc and clang that the release has

	The root is made by debootstrap from the mirror that this machine's apt uses, and is kept in
	$HF_DISTRO_CACHE (default: ${XDG_CACHE_HOME:-~/.cache}/holdfast-distro). The clone is copied into it.
	All runs in mount and pid namespaces of its own, and without a network, but for the
	packages and for the suites that download something.

	The last line is "N passed, N failed, N skipped". Exit status: 0 if nothing failed, 77 with the reason as the
	last line where a root cannot be made here.
	END
}

# A new release is one row. The short suites run in each normal run, the others in a long one.
releases()
{
	cat <<-'END'
	# release  short                                        | long besides
	bookworm   build unit scenario                          | fuzz-replay model-cases e2e resolver
	trixie     build unit fuzz-replay scenario              | model-cases e2e resolver chaos
	sid        build unit scenario                          | fuzz-replay model-cases e2e resolver
	END
}

# Suites that download what they need: Go modules, Python packages, unbound's source.
online=" go-peer autobahn unbound-module unbound-asan unbound-tsan "

skip()
{
	echo "$*"
	exit 77
}

# --- the root ---

make_root()
{
	local why

	echo "distro: making a root of $release in $root (log: $cache/log)"
	why=$(roots_make "$release" "$root" "$cache/log" ccache) || skip "$why"
}

# --- the clone ---

# A copy with the clone's times, so that a second build is a short one. What was deleted since goes.
copy_clone()
{
	local files=$cache/files

	mkdir -p "$root/holdfast"
	tar --exclude='./build*' --exclude=./.git --exclude='__pycache__' -cf - . | tar -C "$root/holdfast" --no-same-owner -xvf - |
		sort >"$files.new"
	[ ! -e "$files" ] || comm -13 "$files.new" "$files" | grep -v '/$' | (cd "$root/holdfast" && xargs -rd '\n' rm -f)
	mv "$files.new" "$files"
}

# --- inside ---

# enter NET COMMAND...: runs it in the root's copy of the clone
enter()
{
	local net=$1

	shift
	roots_enter "$root" /holdfast "$net" "$@"
}

run_suites()
{
	local net=$1

	shift
	[ $# != 0 ] || return 0
	enter "$net" bash tests/run.sh "$@" | tee "$cache/out"
	read -r p f s < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$cache/out")
	[ -n "$p" ] || { echo "distro: tests/run.sh did not come to its end"; failed=$((failed + 1)); return; }
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

main()
{
	local long=no fresh=no exec=no builds=no row suites=() offline=() with_net=() suite release= cache root why passed=0 failed=0 skipped=0 p f s

	while [ $# -gt 0 ]; do
		case $1 in
		--long) long=yes ;;
		--fresh) fresh=yes ;;
		--exec) exec=yes; shift; release=$1; shift; break ;;
		--builds) builds=yes; shift; release=$1; shift; break ;;
		--list) releases; return 0 ;;
		-h | --help) usage; return 0 ;;
		-*) usage >&2; return 2 ;;
		*) if [ -z "$release" ]; then release=$1; else suites+=("$1"); fi ;;
		esac
		shift
	done
	row=$(releases | awk -v name="$release" '$1 == name { sub(/^[^ ]+ +/, ""); print }')
	[ -n "$row" ] || { usage >&2; return 2; }
	if [ ${#suites[@]} = 0 ]; then
		[ $long = yes ] && row=${row/|/} || row=${row%%|*}
		read -r -a suites <<<"$row"
	fi

	why=$(roots_why_not "$release") || skip "$why"
	cache=${HF_DISTRO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-distro}/$release
	root=$cache/root
	mkdir -p "$cache" || skip "$cache cannot be made"
	exec 8>"$cache/lock"
	flock 8
	[ $fresh = no ] && [ -e "$root/etc/apt/sources.list.d/debian.sources" ] || make_root
	copy_clone
	roots_names "$root"
	enter '' bash -c '. tests/lib/packages.sh; packages_install build module examples test root' ||
		skip "the packages of $release cannot be installed here"
	roots_names "$root" # the package of a resolver has just taken that file

	if [ $exec = yes ]; then
		enter --net "$@"
		return
	fi
	if [ $builds = yes ]; then
		# shellcheck disable=SC2016 # the inner shell's
		enter '' bash -c '. tests/lib/packages.sh; packages_add $(apt-cache pkgnames | grep -xE "(gcc|clang)-[0-9]+")' ||
			skip "the compilers of $release cannot be installed here"
		enter --net bash tests/distro/builds.sh "$@"
		return
	fi
	for suite in "${suites[@]}"; do
		case $online in
		*" $suite "*) with_net+=("$suite") ;;
		*) offline+=("$suite") ;;
		esac
	done
	run_suites '' "${with_net[@]}"
	run_suites --net "${offline[@]}"
	mkdir -p "build/logs/distro-$release"
	cp "$root"/holdfast/build/logs/*.log "build/logs/distro-$release/" 2>/dev/null
	echo "$release: logs are in build/logs/distro-$release/"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
. tests/lib/roots.sh
main "$@"; exit # one line, so that bash has read all before it begins
