#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the unbound module for the unbound of this machine. README.md beside it tells more.
#
# Exit status: 0 the module is there; 2 a wrong call; 77 unbound's source cannot be had here (no source packages, a
# mirror without this version, no network, no apt-get): one line says so, nothing is built, and the caller goes on
# without the module; 1 all else.

usage()
{
	cat <<-'END'
	usage: plugin/unbound/build.sh [--program UNBOUND] [BUILD]

	  --program  the unbound to build for (default: the one that is installed)
	  BUILD      a folder that meson has set up (default: build)

	Where that unbound can load modules, the module is built for it. Debian's cannot: then the
	same version of unbound is built with dynlib, as BUILD/unbound/unbound. The source is
	the distribution's own source package. The module is BUILD/plugin/holdfast_unbound.so. What is
	there already is kept. Exit status 77: that source cannot be had here, and nothing was built.
	END
}

program=
build=build
while [ $# -gt 0 ]; do
	case $1 in
	--program) program=$(readlink -f "$2"); shift ;;
	-h | --help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) build=$1 ;;
	esac
	shift
done

fail()
{
	echo "build.sh: $*" >&2
	exit 1
}

no_source()
{
	echo "build.sh: no module: $*" >&2
	exit 77
}

invoked_in=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
top=$PWD
. tests/lib/packages.sh
. plugin/unbound/source.sh
case $build in
/*) ;;
*) build=$top/$build; [ -d "$build" ] || build=$invoked_in/${build#"$top"/} ;;
esac
[ -e "$build/build.ninja" ] || fail "$build is no build folder: meson setup $build"
work=$build/unbound
log=$work/log

# --- what to build ---

# What meson has for its own programs: a module with a sanitizer needs an unbound with the same.
sanitizers()
{
	meson introspect --buildoptions "$build" |
		/usr/bin/python3 -c 'import json, sys
value = {o["name"]: o["value"] for o in json.load(sys.stdin)}["b_sanitize"]
print("" if value == "none" else value)'
}

# An unbound of our own: what tests and a small resolver need, and no more.
build_unbound()
{
	local sanitize cflags='-O2 -g' compiler=gcc

	[ -x "$work/unbound" ] && return
	sanitize=$(sanitizers)
	[ -z "$sanitize" ] || cflags="-O1 -g -fno-omit-frame-pointer -fsanitize=$sanitize"
	! command -v ccache >/dev/null || compiler='ccache gcc'
	echo "unbound: building it${sanitize:+ with -fsanitize=$sanitize}; a minute or two ($log)"
	# A sanitizer's findings about configure's own small programs are not of interest.
	export ASAN_OPTIONS=detect_leaks=0
	configure CC="$compiler" CFLAGS="$cflags" LDFLAGS=-Wl,--build-id --disable-flto --disable-shared \
		--with-libevent --with-dynlibmodule --with-pthreads --with-chroot-dir= --with-pidfile= \
		--with-rootkey-file= --with-username= --enable-tfo-client --enable-tfo-server \
		--prefix="$work/usr" --sysconfdir=/etc --localstatedir=/var
	make -C "$work/src" -j"$(nproc)" unbound unbound-control unbound-checkconf >>"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; fail "unbound does not build"; }
	cp "$work"/src/unbound-{control,checkconf} "$work/" && cp "$work/src/unbound" "$work/unbound.new" &&
		mv "$work/unbound.new" "$work/unbound"
}

build_module()
{
	local had

	had=$(meson introspect --buildoptions "$build" | /usr/bin/python3 -c 'import json, sys
print(*[o["value"] for o in json.load(sys.stdin) if o["name"] in ("unbound_source", "unbound_program")])')
	# In meson's order, which is that of the names.
	if [ "$had" != "$1 $work/src" ]; then
		# Not `meson configure`, which does not know options that are newer than the folder.
		meson setup --reconfigure "$build" -Dunbound_program="$1" -Dunbound_source="$work/src" \
			>>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "meson does not take the module"; }
	fi
	ninja -C "$build" -j "$(nproc)" plugin/holdfast_unbound.so >>"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; fail "the module does not build"; }
}

mkdir -p "$work"
packages_install build module || exit 1
fetch_source
[ -n "$program" ] || program=$(readlink -f "$(PATH=$PATH:/usr/sbin:/sbin command -v unbound)")
if [ -n "$program" ] && [ -z "$(sanitizers)" ] && has_dynlib "$program"; then
	configure_like "$program"
else
	build_unbound
	program=$work/unbound
fi
build_module "$program"
echo "unbound: $program"
echo "module:  $build/plugin/holdfast_unbound.so"
