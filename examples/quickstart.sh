#!/bin/bash
# Installs what is missing, builds Holdfast, and shows it at work on this machine. Nothing is changed outside this
# folder but the installed packages: all it makes is in build/. End it with Ctrl-C.

usage()
{
	cat <<-'END'
	usage: examples/quickstart.sh [--once] [--port N]

	  --once    show it and end, instead of going on running
	  --port N  where holdfast-dns answers on 127.0.0.1 (default 5453; 0: somewhere)
	END
}

once=no port=5453
while [ $# -gt 0 ]; do
	case $1 in
	--once) once=yes ;;
	--port) port=$2; shift ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

[ "$port" != 0 ] || port=$((20000 + RANDOM % 10000))

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/lib/packages.sh
umask 022
here=$PWD/build/quickstart
pids=()

say()
{
	printf '\n== %s\n' "$*"
}

# run COMMAND...: shows a command as a person would type it, and what it prints
run()
{
	echo "\$ $*"
	"$@"
}

fail()
{
	echo "quickstart: $*" >&2
	exit 1
}

# start NAME COMMAND...: in the background, until the end; its log is $here/NAME.log
start()
{
	local name=$1

	shift
	echo "\$ $* &    # log: ${here#"$PWD"/}/$name.log"
	"$@" >"$here/$name.log" 2>&1 </dev/null &
	pids+=($!)
}

stop_all()
{
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	wait
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# until_true SECONDS WHAT COMMAND...: waits for it, or fails with the programs' logs
until_true()
{
	local end=$((SECONDS + $1)) what=$2

	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			tail -n 5 "$here"/*.log
			fail "$what"
		fi
		sleep 0.1
	done
}

build()
{
	mkdir -p build/logs
	if [ ! -e build/build.ninja ]; then
		meson setup build >build/logs/quickstart-setup.log 2>&1 ||
			{ tail -n 20 build/logs/quickstart-setup.log; fail "meson setup failed"; }
	fi
	ninja -C build >build/logs/quickstart-build.log 2>&1 ||
		{ tail -n 20 build/logs/quickstart-build.log; fail "the build failed"; }
	echo "built in build/"
}

configure()
{
	mkdir -p "$here"
	rm -rf "$here/zone"
	(umask 077; echo quickstart-token >"$here/token")
	cat >"$here/holdfast.yaml" <<-END
	store: $here/store.db
	zone: $here/zone
	control: $here/control.sock
	sources:
	  - name: main
	    url: http://127.0.0.1:3000
	    token-file: $here/token
	    suffix: coder
	dns: { listen: ["127.0.0.1@$port"] }
	END
}

ask()
{
	run dig @127.0.0.1 -p "$port" +noall +comments +answer +tries=1 +time=1 "$@"
}

say "packages"
packages_install build examples || exit 1
say "build"
build
say "a private configuration in ${here#"$PWD"/}"
configure
run build/bridge/holdfastd --check -c "$here/holdfast.yaml" || fail "the configuration is refused"

say "holdfast-dns, before anything was ever published: it knows no name, and says so"
start holdfast-dns build/plugin/holdfast-dns -c "$here/holdfast.yaml"
until_true 5 "holdfast-dns does not answer on port $port" dig @127.0.0.1 -p "$port" +tries=1 +time=1 coder SOA
ask main.dev.me.coder AAAA

if [ $once = no ]; then
	say "it goes on running: Ctrl-C ends it"
	wait
fi
