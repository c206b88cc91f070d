#!/bin/bash
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
case $build in
/*) ;;
*) build=$top/$build; [ -d "$build" ] || build=$invoked_in/${build#"$top"/} ;;
esac
[ -e "$build/build.ninja" ] || fail "$build is no build folder: meson setup $build"
work=$build/unbound
log=$work/log

# --- the source ---

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

# --- what to build ---

has_dynlib()
{
	"$1" -V 2>/dev/null | grep -q '^Linked modules:.*\bdynlib\b'
}

# What meson has for its own programs: a module with a sanitizer needs an unbound with the same.
sanitizers()
{
	meson introspect --buildoptions "$build" |
		/usr/bin/python3 -c 'import json, sys
value = {o["name"]: o["value"] for o in json.load(sys.stdin)}["b_sanitize"]
print("" if value == "none" else value)'
}

configure()
{
	(cd "$work/src" && ./configure "$@") >>"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; fail "unbound's configure failed"; }
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
