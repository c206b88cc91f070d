#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds Holdfast, and shows it at work on this machine. Nothing is changed outside this
# folder but the installed packages: all it makes is in build/. End it with Ctrl-C. A resolver that cannot be shown
# here is left out, with a line that says why.

usage()
{
	cat <<-'END'
	usage: examples/quickstart.sh [--once] [--port N]

	  --once    show it and end, instead of going on running
	  --port N  where holdfast-dns answers on 127.0.0.1, and three resolvers on the ports after it
	            (default 5453, or another if that is in use; 0: any)
	END
}

once=no port= module=no
fed=() # the resolvers that the bridge feeds: unbound, dnsmasq
while [ $# -gt 0 ]; do
	case $1 in
	--once) once=yes ;;
	--port) port=$2; shift ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/lib/packages.sh
umask 022
here=$PWD/build/quickstart
declare -A programs # those that are to run, by name: their process

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

# skipped WHAT WHY: one line
skipped()
{
	echo "skipped: $1: $2"
}

# program_of NAME: its path, also where a user's PATH does not lead
program_of()
{
	local path

	path=$(PATH=$PATH:/usr/sbin:/sbin command -v "$1") && [ -x "$path" ] && echo "$path"
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
	note_program "$name" $!
}

# note_program NAME PID: it is to run until the end
note_program()
{
	programs[$1]=$2
	echo "$2" >>"$here/pids"
}

# end_program NAME SIGNAL
end_program()
{
	local pid=${programs[$1]}

	echo "\$ kill -$2 $pid    # $1"
	unset "programs[$1]"
	kill "-$2" "$pid"
	wait "$pid" 2>/dev/null
}

# Two in one folder would take each other's files away. The lock is also held by the programs that are started: those
# of a quickstart that was killed keep it.
lock()
{
	local left=()

	mkdir -p build
	exec 8>>build/quickstart.lock || fail "cannot write in build/"
	if flock -n 8; then
		mkdir -p "$here"
		echo $$ >"$here/pids"
		return
	fi
	for pid in $(cat "$here/pids" 2>/dev/null); do
		! kill -0 "$pid" 2>/dev/null || left+=("$pid")
	done
	fail "another quickstart runs in this folder, or was killed and left programs behind; nothing was changed" \
		"(processes: ${left[*]:-of another user})"
}

is_taken()
{
	(exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# four_free PORT: nobody answers on these four
four_free()
{
	local i

	for i in 0 1 2 3; do
		! is_taken $(($1 + i)) || return 1
	done
}

choose_ports()
{
	local try

	if [ -z "$port" ] && ! four_free 5453; then
		echo "ports 5453 to 5456 are in use on this machine; taking others"
		port=0
	fi
	port=${port:-5453}
	# Below 32768: above it are the ports that the kernel gives to clients.
	for try in 1 2 3 4 5 6 7 8; do
		[ "$port" != 0 ] && break
		port=$((20000 + RANDOM % 6000))
		four_free "$port" || port=0
	done
	four_free "$port" || fail "port $port or one of the three after it is in use; --port N takes others"
	unbound_port=$((port + 1)) fed_unbound_port=$((port + 2)) fed_dnsmasq_port=$((port + 3))
}

stop_all()
{
	[ ${#programs[@]} = 0 ] || kill "${programs[@]}" 2>/dev/null
	wait
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# Waiting for a program that has ended is of no use.
all_run()
{
	local name

	for name in "${!programs[@]}"; do
		kill -0 "${programs[$name]}" 2>/dev/null && continue
		tail -n 5 "$here/$name.log"
		fail "$name has ended; its log is ${here#"$PWD"/}/$name.log"
	done
}

# until_true SECONDS WHAT COMMAND...: waits for it, or fails with the programs' logs
until_true()
{
	local end=$((SECONDS + $1)) what=$2

	shift 2
	until "$@" >/dev/null 2>&1; do
		all_run
		if [ $SECONDS -ge $end ]; then
			tail -n 5 "$here"/*.log
			fail "$what"
		fi
		sleep 0.1
	done
}

build()
{
	local began=$SECONDS

	mkdir -p build/logs
	if [ ! -e build/build.ninja ]; then
		meson setup build >build/logs/quickstart-setup.log 2>&1 ||
			{ tail -n 20 build/logs/quickstart-setup.log; fail "meson setup failed"; }
	fi
	# What is shown, and no tests: half of the time.
	ninja -C build bridge/holdfastd bridge/holdfastctl plugin/holdfast-dns examples/simulator/holdfast-simulator \
		>build/logs/quickstart-build.log 2>&1 ||
		{ tail -n 20 build/logs/quickstart-build.log; fail "the build failed"; }
	echo "built in build/, in $((SECONDS - began)) s"
}

# The programs that are shown, and what the build needs. Without those of the first kind there is less to see.
install_packages()
{
	packages_install build examples 8>&- && return
	echo "going on with what is here"
	[ -z "$(packages_missing build)" ] || fail "what the build needs is not here, and could not be installed"
	program_of dig >/dev/null || fail "dig, which asks the questions of this show, is not here (package bind9-dnsutils)"
}

# An unbound that can load modules, and the module. Debian's source package may not be had: then that part is left out.
build_unbound()
{
	local what="an unbound with the module" why status

	packages_install module 8>&- || { skipped "$what" "the packages that unbound's build needs cannot be installed"; return; }
	plugin/unbound/build.sh build 2>build/logs/quickstart-unbound.log
	status=$?
	why=$(tail -n 1 build/logs/quickstart-unbound.log)
	case $status in
	0) module=yes ;;
	77) skipped "$what" "${why#build.sh: no module: }" ;;
	*) skipped "$what" "it does not build (${why#build.sh: }); build/unbound/log has more" ;;
	esac
}

find_fed()
{
	local name

	for name in unbound dnsmasq; do
		if program_of $name >/dev/null; then
			fed+=("$name")
		else
			skipped "a stock $name, fed by the bridge" "$name is not installed"
		fi
	done
}

# is_fed NAME
is_fed()
{
	[[ " ${fed[*]} " == *" $1 "* ]]
}

# The server to follow: CODER_URL's, or one that the simulator plays on $server_port.
configure()
{
	mkdir -p "$here"
	rm -rf "$here/zone" "$here"/store.db* "$here"/*.log "$here"/fed-*
	# Folders of the adapters; unbound wants its file to be there, if empty.
	mkdir "$here/fed-unbound" "$here/fed-dnsmasq"
	# Started as root, holdfast-dns looks at it to choose a user who can read it.
	mkdir -m 750 "$here/zone"
	: >"$here/fed-unbound/start.conf"
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
	$([ ${#fed[@]} = 0 ] || echo adapters:)
	$(! is_fed unbound || echo "  - { type: unbound, control: $here/fed-unbound.ctl, ask: 127.0.0.1@$fed_unbound_port," \
		"start-file: $here/fed-unbound/start.conf, start-form: include, start-interval: 1s }")
	$(! is_fed dnsmasq || echo "  - { type: dnsmasq, hostsdir: $here/fed-dnsmasq, ask: 127.0.0.1@$fed_dnsmasq_port }")
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
	note_program server $!
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

# Debian's own unbound and dnsmasq, unchanged, which the bridge feeds; configured by what holdfastctl prints. They are run as copies,
# so that a profile of AppArmor for those of the system does not keep them from this folder.
configure_fed_unbound()
{
	cp "$(program_of unbound)" "$here/fed-unbound-program"
	{
		cat <<-END
		server:
		  directory: "$here"
		  chroot: ""
		  username: ""
		  pidfile: ""
		  use-syslog: no
		  interface: 127.0.0.1@$fed_unbound_port
		END
		build/bridge/holdfastctl -c "$here/holdfast.yaml" setup unbound
	} >"$here/fed-unbound.conf" 2>/dev/null
	echo "\$ build/bridge/holdfastctl setup unbound > ${here#"$PWD"/}/fed-unbound.conf"
}

configure_fed_dnsmasq()
{
	cp "$(program_of dnsmasq)" "$here/fed-dnsmasq-program"
	{
		cat <<-END
		user=$(id -un)
		port=$fed_dnsmasq_port
		listen-address=127.0.0.1
		bind-interfaces
		no-resolv
		no-hosts
		END
		build/bridge/holdfastctl -c "$here/holdfast.yaml" setup dnsmasq
	} >"$here/fed-dnsmasq.conf" 2>/dev/null
	echo "\$ build/bridge/holdfastctl setup dnsmasq > ${here#"$PWD"/}/fed-dnsmasq.conf"
}

configure_fed()
{
	local name

	for name in "${fed[@]}"; do
		"configure_fed_$name"
	done
}

start_fed()
{
	! is_fed unbound || start fed-unbound "$here/fed-unbound-program" -d -c "$here/fed-unbound.conf"
	! is_fed dnsmasq || start fed-dnsmasq "$here/fed-dnsmasq-program" --keep-in-foreground --pid-file= --log-facility=- \
		--conf-file="$here/fed-dnsmasq.conf"
}

# port_of NAME: where that fed resolver answers
port_of()
{
	local name=fed_$1_port

	echo "${!name}"
}

# fed_answer NAME: all of them know it
fed_answer()
{
	local name

	for name in "${fed[@]}"; do
		port=$(port_of "$name") answers "$1" NOERROR 'fd60:627a:a42b' || return 1
	done
}

# ask_fed NAME TYPE
ask_fed()
{
	local name

	for name in "${fed[@]}"; do
		port=$(port_of "$name") ask "$@"
	done
}

# ask_both NAME TYPE: holdfast-dns and unbound
ask_both()
{
	ask "$@"
	[ $module = no ] || port=$unbound_port ask "$@"
}

# By far the longest step of a first run: the names are answered meanwhile.
show_module()
{
	say "an unbound answers the same, by the module"
	[ -e build/plugin/holdfast_unbound.so ] || echo "building an unbound that can load modules: a minute or two"
	build_unbound
	[ $module = no ] || start_unbound
}

# fed_text FORMAT: what is fed, in words, each by FORMAT
fed_text()
{
	local first second

	# shellcheck disable=SC2059 # the caller's
	first=$(printf "$1" "${fed[0]}")
	# shellcheck disable=SC2059
	[ ${#fed[@]} = 1 ] || second=" and $(printf "$1" "${fed[1]}")"
	echo "$first$second"
}

show_feeding()
{
	say "$(fed_text 'a stock %s') $([ ${#fed[@]} = 1 ] && echo is || echo are) fed by the bridge"
	configure_fed
	start_fed
	until_true 20 "the resolvers were not fed" fed_answer main.dev.me.coder
	ask_fed main.dev.me.coder AAAA
	until_true 20 "the adapters do not become synced" \
		build/bridge/holdfastctl -c "$here/holdfast.yaml" status
	run build/bridge/holdfastctl -c "$here/holdfast.yaml" adapters
}

show_restart()
{
	local name

	say "$(fed_text %s) $([ ${#fed[@]} = 1 ] && echo is || echo are) restarted while the bridge is dead: the names are there from the start"
	for name in "${fed[@]}"; do
		end_program "fed-$name" TERM
	done
	start_fed
	until_true 10 "the restarted resolvers do not answer" fed_answer main.new.me.coder
	ask_fed main.new.me.coder AAAA
}

# What the simulator makes possible: changes, an outage, a dead bridge, a restart.
show_simulated()
{
	until_true 10 "the first names did not come" answers main.dev.me.coder NOERROR 'fd60:627a:a42b'
	ask main.dev.me.coder AAAA
	ask gpu.web.alice.coder AAAA

	show_module
	[ $module = no ] || port=$unbound_port ask main.dev.me.coder AAAA

	[ ${#fed[@]} = 0 ] || show_feeding

	say "a workspace is made: its name is there at once"
	tell diff alice +3=new:30=main
	until_true 5 "the new name did not come" answers main.new.me.coder 'fd60:627a:a42b'
	ask_both main.new.me.coder AAAA
	until_true 5 "the resolvers did not get the new name" fed_answer main.new.me.coder
	ask_fed main.new.me.coder AAAA

	say "the server goes away: the names stay, and say that they are stale"
	tell down
	until_true 10 "the names are not stale" answers main.dev.me.coder 'Stale Answer'
	ask main.dev.me.coder AAAA

	# unbound's file for its own start is written at most once a second.
	! is_fed unbound ||
		until_true 10 "unbound's start file is not written" grep -q main.new.me.coder "$here/fed-unbound/start.conf"

	say "the bridge is killed, too: the names stay"
	end_program holdfastd KILL
	ask_both main.new.me.coder AAAA

	[ ${#fed[@]} = 0 ] || show_restart

	say "the bridge begins again, the server is still away: it serves first and dials second"
	start_bridge
	until_true 10 "the bridge does not serve" grep -q 're-applying DNS hosts' "$here/holdfastd.log"
	grep 're-applying DNS hosts' "$here/holdfastd.log"
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
	show_module
	configure_fed
	start_fed
}

lock
choose_ports
say "packages"
install_packages
find_fed
say "build: about a minute the first time"
build
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

say "to go on"
cat <<-END
CODER_URL=https://... CODER_SESSION_TOKEN=... examples/quickstart.sh    # the same with your own server
build/bridge/holdfastctl -c ${here#"$PWD"/}/holdfast.yaml setup     # the resolvers whose lines it prints
docs/install.md                                                 # to install it
END
if [ $once = no ]; then
	say "it goes on running; Ctrl-C ends it"
	cat <<-END
	build/bridge/holdfastctl -c ${here#"$PWD"/}/holdfast.yaml status     # also: records, adapters, why NAME
	dig @127.0.0.1 -p $port AGENT.WORKSPACE.me.SUFFIX AAAA         # holdfast-dns
	END
	[ $module = no ] || echo "  -p $unbound_port: unbound with the module"
	for name in "${fed[@]}"; do
		echo "  -p $(port_of "$name"): $name, fed"
	done
	wait
fi
