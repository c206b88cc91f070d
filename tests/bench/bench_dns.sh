#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a query costs holdfast-dns and unbound with the module, beside an echo loop, unbound without, Knot, NSD and dnsmasq: CPU
# time of the server per query and its memory, all in turns in one run, on the same names. Needs a build (HF_BUILD, default
# ./build), and plugin/unbound/build.sh for unbound's; what is not there is left out.

usage()
{
	cat <<-'END'
	usage: tests/bench/bench_dns.sh [-n NAMES] [-r ROUNDS] [-s SECONDS] [-c dnsperf|flood] [-o SERVER,...] [--json]

	  -n  names in the zone (300000)       -s  seconds for each server and round (4)
	  -r  rounds; the median counts (5)    -c  the client: dnsperf, or flood of tests/bench
	  -o  only these servers: echo holdfast-dns knot nsd dnsmasq unbound-empty unbound-local unbound-module
	      unbound-cached (one hot name), unbound-others and unbound-others-module (names of others, cached)

	Where "busy" is under 90 % the client was the limit, and queries a second are its figure,
	not the server's; the CPU time of a query is to be trusted either way.
	END
}

names=300000 rounds=5 seconds=4 client=dnsperf json=no
only=echo,holdfast-dns,knot,nsd,dnsmasq
only=$only,unbound-empty,unbound-local,unbound-module,unbound-cached,unbound-others,unbound-others-module
while [ $# -gt 0 ]; do
	case $1 in
	-n) names=$2; shift ;;
	-r) rounds=$2; shift ;;
	-s) seconds=$2; shift ;;
	-c) client=$2; shift ;;
	-o) only=$2; shift ;;
	--json) json=yes ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
PATH=$PATH:/usr/sbin
build=${HF_BUILD:-build}
build=$(cd "$build" && pwd) || exit 2
work=$(mktemp -d /tmp/hf-bench-XXXXXX)
pid= beside=()
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; [ -z "${beside[*]}" ] || kill "${beside[@]}"; rm -rf "$work"' EXIT
chmod 755 "$work"

[ "$client" = flood ] || command -v dnsperf >/dev/null || {
	echo "dnsperf is not installed: using flood" >&2
	client=flood
}

# --- the names, in each server's form; address number I for name I ---

awk -v n="$names" 'BEGIN {
	print "coder. 30 IN SOA holdfast.invalid. nobody.invalid. 1 60 60 2419200 30"
	print "coder. 30 IN NS ns.coder."
	print "ns.coder. 30 IN AAAA ::1"
	for (i = 1; i <= n; i++)
		printf "a%d.w%d.me.coder. 30 IN AAAA fd60:627a:a42b::%x:%x\n", i, i, i / 65536, i % 65536
}' >"$work/coder.zone"
awk '/fd60/ { print $5, substr($1, 1, length($1) - 1) }' "$work/coder.zone" >"$work/hosts"
awk -v n="$names" 'BEGIN {
	srand(1)
	for (i = 0; i < 400000; i++) {
		k = int(rand() * n) + 1
		printf "a%d.w%d.me.coder AAAA\n", k, k
	}
}' >"$work/queries"
mkfifo "$work/lines"
"$build/tests/tools/mkzone" -q "$work/zone" <"$work/lines" >"$work/mkzone.log" &
beside+=($!)
exec 3>"$work/lines"
printf 'many %d\npublish\n' "$names" >&3
until grep -q ok "$work/mkzone.log"; do sleep 0.1; done

# --- the servers: each "start" leaves its pid in $pid ---

start_echo()
{
	"$build/tests/bench/echo" "$port" &
	pid=$!
}

start_holdfast-dns()
{
	cat >"$work/holdfast.yaml" <<-END
	zone: $work/zone
	log: { level: error }
	dns: { listen: 127.0.0.1@$port }
	END
	"$build/plugin/holdfast-dns" -c "$work/holdfast.yaml" 2>>"$work/log" &
	pid=$!
}

start_knot()
{
	mkdir -p "$work/knot"
	cat >"$work/knot.conf" <<-END
	server:
	  rundir: $work/knot
	  listen: 127.0.0.1@$port
	  udp-workers: 1
	  tcp-workers: 1
	  background-workers: 1
	log:
	  - target: stderr
	    any: error
	database:
	  storage: $work/knot
	zone:
	  - domain: coder
	    file: $work/coder.zone
	    zonefile-sync: -1
	    zonefile-load: whole
	    journal-content: none
	END
	knotd -c "$work/knot.conf" >>"$work/log" 2>&1 &
	pid=$!
}

start_nsd()
{
	mkdir -p "$work/nsd"
	cat >"$work/nsd.conf" <<-END
	server:
	  ip-address: 127.0.0.1@$port
	  server-count: 1
	  username: ""
	  chroot: ""
	  zonesdir: "$work"
	  database: ""
	  pidfile: "$work/nsd/pid"
	  zonelistfile: "$work/nsd/list"
	  xfrdfile: "$work/nsd/xfrd"
	  logfile: "$work/log"
	  rrl-ratelimit: 0
	remote-control:
	  control-enable: no
	zone:
	  name: coder
	  zonefile: coder.zone
	END
	nsd -d -c "$work/nsd.conf" >>"$work/log" 2>&1 &
	pid=$!
}

start_dnsmasq()
{
	dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user= --no-resolv --no-hosts \
		--listen-address=127.0.0.1 --bind-interfaces --port="$port" --addn-hosts="$work/hosts" \
		--local=/coder/ --local-ttl=30 --cache-size=0 >>"$work/log" 2>&1 &
	pid=$!
}

# A holdfast-dns that others get their names from, and a zone that has none of them.
start_beside()
{
	[ -z "$target" ] || return
	target=$((RANDOM % 5000 + 30000))
	port=$target start_holdfast-dns
	beside+=("$pid")
	printf 'source else elsewhere\nmany 1\npublish\n' >"$work/else"
	"$build/tests/tools/mkzone" -k "$work/elsewhere" <"$work/else" >/dev/null &
	beside+=($!)
	until [ -e "$work/elsewhere/current" ]; do sleep 0.1; done
}

# start_unbound ZONE: unbound with the lines of standard input; with the module on that zone, or without for "".
start_unbound()
{
	cat >"$work/unbound.conf" <<-END
	server:
	  directory: "$work"
	  chroot: ""
	  username: ""
	  pidfile: ""
	  use-syslog: no
	  logfile: "$work/log"
	  interface: 127.0.0.1@$port
	  num-threads: 1
	  do-not-query-localhost: no
	  module-config: "${1:+dynlib }validator iterator"
	remote-control:
	  control-enable: no
	${1:+dynlib:}
	${1:+  dynlib-file: "$build/plugin/holdfast_unbound.so"}
	$(cat)
	END
	HOLDFAST_ZONE=$1 "$build/unbound/unbound" -d -c "$work/unbound.conf" >>"$work/log" 2>&1 &
	pid=$!
}

start_unbound-empty()
{
	start_unbound '' <<<'server: local-zone: "coder." static'
}

start_unbound-local()
{
	[ -e "$work/local" ] || {
		echo 'local-zone: "coder." static'
		awk '/fd60/ { printf "local-data: \"%s\"\n", $0 }' "$work/coder.zone"
	} >"$work/local"
	start_unbound '' <<<"server: include: $work/local"
}

start_unbound-module()
{
	start_unbound "$work/zone" </dev/null
}

forward()
{
	printf 'forward-zone:\n  name: "coder."\n  forward-addr: 127.0.0.1@%s\n' "$target"
}

start_unbound-cached()
{
	start_beside
	start_unbound '' < <(forward)
}

start_unbound-others()
{
	start_beside
	start_unbound '' < <(forward)
}

start_unbound-others-module()
{
	start_beside
	start_unbound "$work/elsewhere" < <(forward)
}

# Of how many names it is asked for.
names_of()
{
	case $1 in
	unbound-cached) echo 1 ;;
	unbound-others*) echo 1000 ;;
	*) echo "$names" ;;
	esac
}

# Who does not tell addresses is only asked whether it answers.
only_echoes()
{
	[ "$1" = echo ] || [ "$1" = unbound-empty ]
}

program_of()
{
	case $1 in
	echo | holdfast-dns) echo true ;;
	unbound-*) echo "$build/unbound/unbound" ;;
	knot) echo knotd ;;
	*) echo "$1" ;;
	esac
}

# --- measuring ---

# All processes of the server, parents first.
family()
{
	local child

	echo "$1"
	for child in $(ps -o pid= --ppid "$1"); do
		family "$child"
	done
}

# Nanoseconds on the CPU of all their threads.
cpu_ns()
{
	local p

	for p in $(family "$pid"); do
		cat /proc/"$p"/task/*/schedstat 2>/dev/null
	done | awk '{ total += $1 } END { printf "%.0f\n", total }'
}

is_up()
{
	if only_echoes "$1"; then
		grep -qi ":$(printf %04X "$port") " /proc/net/udp
	else
		"$build/tests/bench/flood" -r 50 127.0.0.1 "$port" 1 "$(names_of "$1")" 2>/dev/null |
			grep -q 'answered [1-9][0-9]* lost 0 wrong 0'
	fi
}

ask()
{
	if [ "$client" = flood ]; then
		"$build/tests/bench/flood" $(only_echoes "$1" && printf %s -e) 127.0.0.1 "$port" "$seconds" \
			"$(names_of "$1")" |
			awk '{ print $4, $8 }'
	else
		head -n "$([ "$(names_of "$1")" = "$names" ] && echo 400000 || names_of "$1")" "$work/queries" >"$work/some"
		dnsperf -s 127.0.0.1 -p "$port" -d "$work/some" -l "$seconds" -q 100 2>/dev/null |
			awk '/completed:/ { n = $3 } /Response codes:/ { ok = $4 } END { print n, "'"$(only_echoes "$1" && echo yes)"'" == "yes" ? 0 : n - ok }'
	fi
}

# KiB that all its processes hold, what they share with others included.
memory_kib()
{
	local p

	for p in $(family "$pid"); do
		awk '/^VmRSS/ { print $2 }' "/proc/$p/status" 2>/dev/null
	done | awk '{ total += $1 } END { printf "%d\n", total }'
}

# A line "SERVER NS_PER_QUERY QPS BUSY_PERCENT WRONG KIB" a round.
measure()
{
	local name=$1 before after start end n wrong tries kib

	port=$((RANDOM % 10000 + 20000))
	"start_$name"
	for ((tries = 0; tries < 60; tries++)); do
		kill -0 "$pid" 2>/dev/null || break
		is_up "$name" && break
		sleep 0.5
	done
	before=$(cpu_ns) start=$(date +%s%N)
	read -r n wrong <<<"$(ask "$name")"
	end=$(date +%s%N) after=$(cpu_ns) kib=$(memory_kib)
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	pid=
	if [ "${n:-0}" -lt 100 ]; then
		echo "$name did not answer:" >&2
		tail -3 "$work/log" >&2
		return
	fi
	echo "$name $(((after - before) / n)) $((n * 1000000000 / (end - start)))" \
		"$(((after - before) * 100 / (end - start))) $wrong $kib" >>"$work/results"
}

for ((round = 1; round <= rounds; round++)); do
	for name in ${only//,/ }; do
		if ! command -v "$(program_of "$name")" >/dev/null; then
			[ "$round" -gt 1 ] || echo "$name is not installed: left out" >&2
			continue
		fi
		[ -t 2 ] && echo "round $round: $name" >&2
		measure "$name"
	done
done

awk -v json=$json -v client="$client" -v names="$names" -v only="$only" '
	function median(list, n,    i, j, t, v) {
		split(list, v, " ")
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) {
				t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
			}
		return v[int((n + 1) / 2)]
	}
	{ ns[$1] = ns[$1] " " $2; qps[$1] = qps[$1] " " $3; busy[$1] = busy[$1] " " $4; kib[$1] = kib[$1] " " $6; wrong[$1] += $5; n[$1]++ }
	END {
		count = split(only, order, ",")
		base = median(ns["echo"], n["echo"])
		hf = median(ns["holdfast-dns"], n["holdfast-dns"])
		if (json != "yes") {
			printf "%d names, client %s, median of the rounds\n", names, client
			printf "%-22s %10s %10s %5s %8s %12s %6s  %s\n", "server", "us a query", "queries/s", "busy", "of echo", "holdfast of", "MB", "remark"
		} else
			printf "{\"names\": %d, \"client\": \"%s\", \"servers\": [", names, client
		for (i = 1; i <= count; i++) {
			s = order[i]
			if (!n[s])
				continue
			c = median(ns[s], n[s]); q = median(qps[s], n[s]); b = median(busy[s], n[s]); mb = median(kib[s], n[s]) / 1024
			cost[s] = c; memory[s] = mb
			limit = b < 90
			if (json == "yes")
				printf "%s{\"name\": \"%s\", \"ns_a_query\": %d, \"qps\": %d, \"busy\": %d, \"of_echo\": %.3f, \"holdfast_of\": %.3f, \"mb\": %.1f, \"client_was_limit\": %s, \"wrong\": %d}",
				    sep, s, c, q, b, base ? c / base : 0, c ? hf / c : 0, mb, limit ? "true" : "false", wrong[s]
			else
				printf "%-22s %10.2f %10d %4d%% %8s %12s %6.1f  %s%s\n", s, c / 1000, q, b,
				    base ? sprintf("%.2f", c / base) : "-", hf ? sprintf("%.2f", hf / c) : "-", mb,
				    limit ? "the client was the limit" : "", wrong[s] ? ", " wrong[s] " wrong" : ""
			sep = ", "
		}
		if (json == "yes")
			print "]}"
		else if (cost["unbound-module"]) {
			m = cost["unbound-module"]
			if (cost["unbound-local"])
				printf "module of local-data %.2f (goal 0.90)\n", m / cost["unbound-local"]
			if (cost["unbound-cached"])
				printf "module of one hot cached name %.2f (goal 1.45)\n", m / cost["unbound-cached"]
			if (cost["unbound-empty"])
				printf "module, memory above an empty unbound %.1f MB (goal 45)\n", memory["unbound-module"] - memory["unbound-empty"]
		}
		if (json != "yes" && cost["unbound-others"] && cost["unbound-others-module"])
			printf "names of others, with the module of without %.3f (goal 1.02)\n", cost["unbound-others-module"] / cost["unbound-others"]
	}' "$work/results"
