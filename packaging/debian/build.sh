#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the Debian packages out of a release's tarball.

usage()
{
	cat <<-'END'
	usage: packaging/debian/build.sh [--release NAME] [--output DIR] [--revision R] [--nocheck] [--keep] [TARBALL]

	  TARBALL     what `meson dist` makes; without it, what is committed here, or this tree if it is an unpacked tarball
	  --release   build in a root of that release of Debian (bookworm, trixie; root only); the packages' version then ends
	              in ~deb12 or ~deb13, so that an upgrade of the machine brings those of its new release. Without it:
	              on this machine, whose packages must be those of Build-Depends
	  --output    where the packages go (default: build/packages)
	  --revision  another one than the changelog's: a rebuild of your own
	  --nocheck   without the unit tests
	  --keep      keeps the tree that was built, as DIR/tree

	The root is kept in $HF_DISTRO_CACHE (default: ${XDG_CACHE_HOME:-~/.cache}/holdfast-distro) and is without a network while
	it builds. lintian looks at the result; a warning of it is a failure. Exit status: 0 the packages are there; 77 such a root
	cannot be made here; 2 a wrong call; 1 all else.
	END
}

fail()
{
	echo "build.sh: $*" >&2
	exit 1
}

# --- the source ---

# make_tarball FILE VERSION: of what is committed, or of an unpacked tarball
make_tarball()
{
	local prefix=holdfast-$2

	if git rev-parse --git-dir >/dev/null 2>&1; then
		git archive --format=tar --prefix="$prefix/" HEAD | xz -T2 >"$1"
	else
		tar --exclude='./build*' --exclude='__pycache__' --sort=name --owner=0 --group=0 --numeric-owner \
			--transform="s,^\.,$prefix," -cJf "$1" .
	fi
}

# unpack TARBALL: leaves $work/holdfast-VERSION with debian/, and the tarball under the name that dpkg-source wants
unpack()
{
	local folder version

	tar -C "$work" --no-same-owner -xf "$1" || fail "$1 does not unpack"
	folder=$(cd "$work" && echo holdfast-*)
	version=${folder#holdfast-}
	[ -d "$work/$folder/packaging/debian" ] || fail "$1 has no packaging/debian"
	grep -q "^  version: '$version',$" "$work/$folder/meson.build" || fail "$1: the folder's version is not that of meson.build"
	cp -r "$work/$folder/packaging/debian" "$work/$folder/debian"
	rm "$work/$folder/debian/build.sh"
	head -n 1 "$work/$folder/debian/changelog" | grep -q "^holdfast ($version-" ||
		fail "packaging/debian/changelog does not begin with version $version"
	case $1 in
	*.tar.xz | *.tar.gz) cp "$1" "$work/holdfast_$version.orig.tar.${1##*.}" ;;
	*) fail "$1: expected a .tar.xz or .tar.gz" ;;
	esac
	tree=$work/$folder
}

# The first line of the changelog: "holdfast (0.1.0-1) unstable; ..."
set_version()
{
	local suffix=$1

	[ -z "$revision" ] || sed -i -E "1s/-[^-)]*\)/-$revision)/" "$tree/debian/changelog"
	[ -z "$suffix" ] || sed -i -E "1s/\) [a-z]+;/$suffix) $release;/" "$tree/debian/changelog"
}

# --- the build: these run where the packages are built, in the tree ---

# Not `dpkg-buildpackage -A -B`: the source package is checked, too.
build_here()
{
	dpkg-buildpackage -us -uc -F
}

# No error and no warning of lintian's is left.
lint_here()
{
	lintian --tag-display-limit 0 --fail-on error,warning --profile debian ../*.changes
}

# --- in a root ---

# As a user without rights: what a package's build does on somebody's machine it does not do as root.
build_in_root()
{
	local cache=${HF_DISTRO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-distro}/$release why root
	local options="${nocheck:+nocheck }parallel=2"

	root=$cache/packaging
	why=$(roots_why_not "$release") || { echo "$why"; exit 77; }
	mkdir -p "$cache" || fail "$cache cannot be made"
	exec 8>"$cache/packaging.lock"
	flock 8
	if [ ! -e "$root/etc/apt/sources.list.d/debian.sources" ]; then
		echo "build.sh: making a root of $release in $root (log: $cache/packaging.log)"
		why=$(roots_make "$release" "$root" "$cache/packaging.log") || { echo "$why"; exit 77; }
	fi
	case $release in
	sid) set_version '' ;;
	*) set_version "~deb$(. "$root/etc/os-release" && echo "$VERSION_ID")" ;;
	esac
	roots_names "$root"
	rm -rf "$root/build"
	mkdir -p "$root/build"
	cp -a "$work"/. "$root/build"
	# What is built with comes by apt: debootstrap knows no virtual packages, and one stands below lintian.
	# shellcheck disable=SC2016 # the words are the inner shell's
	roots_enter "$root" "/build/${tree##*/}" '' bash -c '
		export DEBIAN_FRONTEND=noninteractive
		getent passwd builder >/dev/null || useradd --system --home-dir /build --shell /bin/sh builder
		chown -R builder: /build
		{ command -v lintian >/dev/null && dpkg-checkbuilddeps 2>/dev/null; } ||
			{ apt-get -q update && apt-get -qy --no-install-recommends install build-essential lintian &&
				apt-get -qy --no-install-recommends build-dep ./; }' \
		>>"$cache/packaging.log" 2>&1 || { tail -n 20 "$cache/packaging.log" >&2; fail "the build's packages cannot be installed"; }
	roots_enter "$root" "/build/${tree##*/}" --net setpriv --reuid=builder --regid=builder --init-groups --no-new-privs \
		env HOME=/build DEB_BUILD_OPTIONS="$options" bash -c "$(declare -f build_here lint_here)
			build_here && lint_here" || fail "the packages do not build, or lintian found something"
	rm -rf "$work"
	work=$root/build
	tree=$work/${tree##*/}
}

main()
{
	local release='' output='' revision='' nocheck='' keep='' tarball='' work tree version

	while [ $# -gt 0 ]; do
		case $1 in
		--release | --output | --revision)
			[ $# -gt 1 ] || { usage >&2; return 2; }
			printf -v "${1#--}" %s "$2"
			shift
			;;
		--nocheck) nocheck=yes ;;
		--keep) keep=yes ;;
		-h | --help) usage; return 0 ;;
		-*) usage >&2; return 2 ;;
		*) [ -z "$tarball" ] || { usage >&2; return 2; }; tarball=$(realpath "$1") ;;
		esac
		shift
	done
	[[ $release =~ ^[a-z]*$ && $revision =~ ^[A-Za-z0-9.+~]*$ ]] || { usage >&2; return 2; }
	output=$(realpath -m "${output:-$top/build/packages}")
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	if [ -z "$tarball" ]; then
		version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" meson.build)
		tarball=$work/made/holdfast-$version.tar.xz
		mkdir "$work/made"
		make_tarball "$tarball" "$version" || fail "no tarball can be made of this tree"
	fi
	unpack "$tarball"
	if [ -n "$release" ]; then
		build_in_root
	else
		set_version ''
		(cd "$tree" && export DEB_BUILD_OPTIONS="${nocheck:+nocheck }parallel=2" && build_here &&
			{ ! command -v lintian >/dev/null || lint_here; }) || fail "the packages do not build, or lintian found something"
	fi
	mkdir -p "$output" || fail "$output cannot be made"
	cp "$work"/holdfast*.{deb,dsc,changes,buildinfo,tar.*} "$output/" || fail "the packages cannot be copied to $output"
	if [ -n "$keep" ]; then
		rm -rf "$output/tree"
		mv "$tree" "$output/tree"
	fi
	(cd "$output" && ls -- holdfast*.deb)
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 2
. tests/lib/roots.sh
main "$@"; exit # one line, so that bash has read all before it begins
