#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds with every compiler that is installed here, in the ways in which people and distributions build, and runs the
# units of each: a compiler may take the code at its word where another does not. Warnings are errors.

usage()
{
	cat <<-'END'
	usage: tests/distro/builds.sh [--programs] [--list] [ROW...]

	  --programs  only what is installed, and no units
	  --list      which builds these would be
	  ROW         rows of the table in this file; without them, all

	The last line is "N passed, N failed, N skipped". tests/distro/run.sh --builds RELEASE runs it in another release of
	Debian, with all compilers that it has.
	END
}

# Which: all compilers, or the newest of gcc and of clang, or the default one. Those that are not the newest of their
# family build only what is installed, and run no units: that is a third of the time. DEB is replaced by dpkg-buildflags.
rows()
{
	cat <<-'END'
	# row      which    environment        options of meson
	O0         newest   -                  -Doptimization=0
	O2         all      -                  -Doptimization=2
	lto        newest   -                  -Doptimization=2 -Db_lto=true
	fortify3   newest   -                  -Doptimization=2 -Dc_args=-D_FORTIFY_SOURCE=3
	plain      default  DEB                --buildtype=plain
	release    newest   -                  --buildtype=release
	END
}

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

# compilers all|newest|default: their names, one a line
compilers()
{
	local family

	if [ "$1" = default ]; then
		echo cc
		return
	fi
	for family in gcc clang; do
		compgen -c | grep -xE "$family-[0-9]+" | sort -u -t- -k2n |
			if [ "$1" = newest ]; then tail -n 1; else cat; fi
	done
}

# build ROW COMPILER ENVIRONMENT OPTION...
build()
{
	local row=$1 compiler=$2 env=$3 folder log variables=() began=$SECONDS wrapped targets=() programs=$programs

	shift 3
	[ "$compiler" = cc ] || compilers newest | grep -qx "$compiler" || programs=yes
	folder=build-distro/$row-$compiler
	log=build/logs/builds-$row-$compiler.log
	rm -rf "$folder"
	wrapped=$compiler
	! command -v ccache >/dev/null || wrapped="ccache $compiler"
	if [ "$env" = DEB ]; then
		command -v dpkg-buildflags >/dev/null || { echo "skipped: $row: no dpkg-buildflags here"; skipped=$((skipped + 1)); return; }
		variables=(CFLAGS="$(dpkg-buildflags --get CFLAGS)" CPPFLAGS="$(dpkg-buildflags --get CPPFLAGS)" LDFLAGS="$(dpkg-buildflags --get LDFLAGS)")
	fi
	[ $programs = no ] || targets=(bridge/holdfastd bridge/holdfastctl plugin/holdfast-dns adapters/holdfast-hosts)
	if env CC="$wrapped" "${variables[@]}" meson setup "$folder" -Dwerror=true "$@" >"$log" 2>&1 &&
		ninja -C "$folder" "${targets[@]}" >>"$log" 2>&1 &&
		{ [ $programs = yes ] || meson test -C "$folder" --no-rebuild --suite unit >>"$log" 2>&1; }; then
		echo "ok      $row with $compiler ($((SECONDS - began)) s)"
		passed=$((passed + 1))
	else
		echo "FAILED  $row with $compiler: $log"
		grep -E 'error:|FAIL|ERROR' "$log" | head -n 5
		failed=$((failed + 1))
	fi
	rm -rf "$folder"
}

main()
{
	local programs=no list=no wanted=() passed=0 failed=0 skipped=0 row which env options compiler

	while [ $# -gt 0 ]; do
		case $1 in
		--programs) programs=yes ;;
		--list) list=yes ;;
		-h | --help) usage; return 0 ;;
		-*) usage >&2; return 2 ;;
		*) wanted+=("$1") ;;
		esac
		shift
	done
	mkdir -p build/logs build-distro
	while read -r row which env options; do
		[[ $row == \#* ]] && continue
		[ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $row "* ]] || continue
		for compiler in $(compilers "$which"); do
			if [ $list = yes ]; then
				echo "$row $compiler $options"
			else
				# shellcheck disable=SC2086 # options
				build "$row" "$compiler" "$env" $options </dev/null
			fi
		done
	done < <(rows)
	[ $list = no ] || return 0
	rmdir build-distro 2>/dev/null
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ] && [ $((passed + skipped)) != 0 ]
}

main "$@"; exit # one line, so that bash has read all before it begins
