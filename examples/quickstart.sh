#!/bin/bash
# Installs what is missing, builds Holdfast, and shows it at work on this machine. Nothing is changed outside this
# folder but the installed packages: all it makes is in build/. End it with Ctrl-C.

usage()
{
	cat <<-'END'
	usage: examples/quickstart.sh [--once] [--port N]

	  --once    show it and end, instead of going on running
	  --port N  where holdfast-dns answers on 127.0.0.1 (default 5453; 0: somewhere), and unbound on the port
	            after it
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

# Below 32768: above it are the ports that the kernel gives to clients.
[ "$port" != 0 ] || port=$((20000 + RANDOM % 6000))
unbound_port=$((port + 1))

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
	"$@" >>"$here/$name.log" 2>&1 </dev/null &
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

# An unbound that can load modules, and the module.
build_unbound()
{
	plugin/unbound/build.sh build || fail "no unbound with the module (build/unbound/log)"
}

# The server to follow: CODER_URL's, or one that the simulator plays on $server_port.
configure()
{
	mkdir -p "$here"
	rm -rf "$here/zone" "$here"/store.db* "$here"/*.log
	(umask 077; printf '%s\n' "${CODER_SESSION_TOKEN:-quickstart-token}" >"$here/token")
	(umask 077; cat >"$here/holdfast.yaml") <<-END
	store: $here/store.db
	zone: $here/zone
	control: $here/control.sock
	sources:
	  - name: main
	    url: $server
	    token-file: $here/token
	dns: { listen: ["127.0.0.1@$port"] }
	END
}

# A server with two workspaces; what is written to descriptor 3 are its commands.
start_server()
{
	cat >"$here/server.txt" <<-END
	suffix coder
	user alice 1
	snapshot alice 1=dev:7=main 2=web:8=main,9=gpu
	END
	rm -f "$here/server.in"
	mkfifo -m 600 "$here/server.in"
	exec 3<>"$here/server.in"
	echo "\$ build/examples/simulator/holdfast-simulator --port $server_port ... &"
	build/examples/simulator/holdfast-simulator --port "$server_port" "$here/server.txt" \
		<"$here/server.in" >"$here/server.log" 2>&1 &
	pids+=($!)
	until_true 5 "the simulator does not start" grep -q '^listening' "$here/server.log"
}

# tell COMMAND...: the simulator does it
tell()
{
	echo "(server) $*"
	echo "$*" >&3
}

ask()
{
	run dig @127.0.0.1 -p "$port" +noall +comments +answer +tries=1 +time=1 "$@" |
		grep -vE '^;; (Got answer|WARNING|.* SECTION|OPT)|^$|udp: 1232'
}

# answers NAME WORD...: the answer to NAME holds all of these
answers()
{
	local name=$1 said word

	shift
	said=$(dig @127.0.0.1 -p "$port" +tries=1 +time=1 "$name" AAAA) || return 1
	for word; do
		[[ $said == *"$word"* ]] || return 1
	done
}

start_bridge()
{
	start holdfastd build/bridge/holdfastd -c "$here/holdfast.yaml"
	bridge=${pids[-1]}
}

# An unbound of its own, with the lines that holdfastctl prints for it; they name the module where it would be installed.
start_unbound()
{
	{
		cat <<-END
		server:
		  directory: "$here"
		  chroot: ""
		  username: ""
		  pidfile: ""
		  use-syslog: no
		  interface: 127.0.0.1@$unbound_port
		END
		build/bridge/holdfastctl -c "$here/holdfast.yaml" setup unbound-module |
			sed "s|dynlib-file: .*|dynlib-file: \"$PWD/build/plugin/holdfast_unbound.so\"|"
	} >"$here/unbound.conf"
	echo "\$ build/bridge/holdfastctl setup unbound-module > ${here#"$PWD"/}/unbound.conf"
	start unbound env HOLDFAST_ZONE="$here/zone" build/unbound/unbound -d -c "$here/unbound.conf"
	until_true 10 "unbound does not answer on port $unbound_port" \
		dig @127.0.0.1 -p "$unbound_port" +tries=1 +time=1 version.bind CH TXT
}

# ask_both NAME TYPE: holdfast-dns and unbound
ask_both()
{
	ask "$@"
	port=$unbound_port ask "$@"
}

# What the simulator makes possible: changes, an outage, a dead bridge, a restart.
show_simulated()
{
	until_true 10 "the first names did not come" answers main.dev.me.coder NOERROR 'fd60:627a:a42b'
	ask main.dev.me.coder AAAA
	ask gpu.web.alice.coder AAAA

	say "an unbound answers the same, by the module"
	start_unbound
	port=$unbound_port ask main.dev.me.coder AAAA

	say "a workspace is made: its name is there at once"
	tell diff alice +3=new:30=main
	until_true 5 "the new name did not come" answers main.new.me.coder 'fd60:627a:a42b'
	ask_both main.new.me.coder AAAA

	say "the server goes away: the names stay, and say that they are stale"
	tell down
	until_true 10 "the names are not stale" answers main.dev.me.coder 'Stale Answer'
	ask main.dev.me.coder AAAA

	say "the bridge is killed, too: the names stay"
	run kill -KILL "$bridge"
	wait "$bridge" 2>/dev/null
	ask_both main.new.me.coder AAAA

	say "the bridge begins again, the server is still away: it serves first and dials second"
	start_bridge
	until_true 10 "the bridge does not serve" grep -q 're-applying' "$here/holdfastd.log"
	grep 're-applying' "$here/holdfastd.log"
	ask main.new.me.coder AAAA

	say "the server comes back: the names are live again"
	tell up
	until_true 30 "the names are not live again" eval \
		"answers main.dev.me.coder NOERROR && ! answers main.dev.me.coder 'Stale Answer'"
	ask main.dev.me.coder AAAA
}

show_real()
{
	until_true 60 "nothing was published; is CODER_SESSION_TOKEN good?" test -e "$here/zone/current"
	cat "$here/holdfastd.log"
	start_unbound
	echo "ask it: dig @127.0.0.1 -p $port AGENT.WORKSPACE.me.SUFFIX AAAA"
}

say "packages"
packages_install build module examples || exit 1
say "build"
build
build_unbound
server_port=$((26000 + RANDOM % 6000))
server=${CODER_URL:-http://127.0.0.1:$server_port}
say "a private configuration in ${here#"$PWD"/}"
configure
run build/bridge/holdfastd --check -c "$here/holdfast.yaml" || fail "the configuration is refused"

if [ -z "${CODER_URL:-}" ]; then
	say "a server, played by the simulator (CODER_URL and CODER_SESSION_TOKEN would name a real one)"
	start_server
fi
say "the bridge follows it, and holdfast-dns answers"
start holdfast-dns build/plugin/holdfast-dns -c "$here/holdfast.yaml"
until_true 5 "holdfast-dns does not answer on port $port" dig @127.0.0.1 -p "$port" +tries=1 +time=1 coder SOA
start_bridge
if [ -z "${CODER_URL:-}" ]; then
	show_simulated
else
	show_real
fi

if [ $once = no ]; then
	say "it goes on running: dig @127.0.0.1 -p $port (or $unbound_port) main.dev.me.coder AAAA; Ctrl-C ends it"
	wait
fi
