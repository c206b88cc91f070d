#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by tests/distro/*.sh and packaging/debian/build.sh: roots of other releases of Debian, made by debootstrap from the mirror
# that this machine's apt uses, and commands in them. Nothing of this machine changes but the folder of the root.

# roots_why_not RELEASE: says why no root can be made and entered here, and fails; nothing and 0 if it can
roots_why_not()
{
	if [ "$(id -u)" != 0 ]; then
		echo "a root of $1 can be made and entered by root only"
	elif ! command -v debootstrap >/dev/null; then
		echo "debootstrap is not installed"
	elif ! unshare --mount --pid --fork --net true 2>/dev/null; then
		echo "no namespaces here: unshare is refused"
	else
		return 0
	fi
	return 1
}

# roots_mirror NAME: the address from which this machine gets a suite of that name, bookworm or bookworm-security
roots_mirror()
{
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v name="$1" '$1 == name { print $2; exit }'
}

# roots_names ROOT: how the mirror's name is found: each time, since the package of a resolver may put a link to its own file there.
roots_names()
{
	rm -f "$1/etc/resolv.conf"
	cp -L /etc/resolv.conf /etc/hosts "$1/etc/" 2>/dev/null
}

# roots_sources ROOT RELEASE MIRROR SECURITY: what apt and services in the root go by
roots_sources()
{
	local root=$1 release=$2 main=$3 security=$4 keys=/usr/share/keyrings/debian-archive-keyring.gpg

	rm -f "$root/etc/apt/sources.list"
	{
		printf 'Types: deb deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
			"$main" "$release$([ "$release" = sid ] || echo " $release-updates")" $keys
		[ -z "$security" ] || [ "$release" = sid ] ||
			printf '\nTypes: deb deb-src\nURIs: %s\nSuites: %s-security\nComponents: main\nSigned-By: %s\n' \
				"$security" "$release" $keys
	} >"$root/etc/apt/sources.list.d/debian.sources"
	# How to reach it: proxies, and what the machine does not check.
	apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv)' >"$root/etc/apt/apt.conf.d/90machine"
	# A root that is lost with its power cut is made again.
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	roots_names "$root"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
}

# roots_make RELEASE ROOT LOG [PACKAGE,...]: a new root in ROOT. Says why and fails if there can be none.
roots_make()
{
	local release=$1 root=$2 log=$3 tools=debian-archive-keyring,ca-certificates${4:+,$4} codename main security

	codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME")
	[ -n "$codename" ] || { echo "this machine is no Debian: no mirror is known for $release"; return 1; }
	main=$(roots_mirror "$codename")
	security=$(roots_mirror "$codename-security")
	[ -n "$main" ] || { echo "this machine's apt has no mirror of Debian"; return 1; }
	rm -rf "$root" "$root.new"
	mkdir -p "$root.new" || { echo "$root.new cannot be made"; return 1; }
	debootstrap --variant=minbase --include=$tools "$release" "$root.new" "$main" >"$log" 2>&1 || {
		tail -n 5 "$log"
		echo "debootstrap cannot make a root of $release here"
		return 1
	}
	roots_sources "$root.new" "$release" "$main" "$security"
	mv "$root.new" "$root"
}

# roots_enter ROOT FOLDER NET COMMAND...: runs it in the root, in FOLDER; NET is "" (the machine's network) or --net (loopback, and a
# link that has an address and leads nowhere: systemd-resolved asks nobody where there is none. Not one of those that tests take for
# anybody else's).
# In mount and pid namespaces of its own. The root is a mount point, so that tests can make mount namespaces in it.
roots_enter()
{
	local root=$1 folder=$2 net=$3

	shift 3
	# shellcheck disable=SC2016,SC2086 # the words are the inner shell's; an empty one is none
	unshare --mount --propagation private --pid --fork --kill-child $net bash -c '
		root=$1 folder=$2 net=$3; shift 3
		mount --bind "$root" "$root" && mount -t proc proc "$root/proc" && mount -t sysfs sysfs "$root/sys" &&
			mount --bind /dev "$root/dev" && mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" &&
			mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" && mount -t tmpfs -o mode=755 tmpfs "$root/run" ||
			exit 77
		[ -z "$net" ] || [ ! -x /sbin/ip ] || {
			/sbin/ip link set lo up && /sbin/ip link add hf0 type veth peer name hf1 &&
				/sbin/ip addr add 198.18.0.1/30 dev hf0 && /sbin/ip link set hf0 up && /sbin/ip link set hf1 up; }
		exec chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			bash -c "cd \"\$1\" && shift && \"\$@\"" - "$folder" "$@"
	' - "$root" "$folder" "$net" "$@" </dev/null &
	wait $!
}
