#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs every suite. CONTRIBUTING.md tells more.

usage()
{
	cat <<-'END'
	usage: tests/run.sh [--quick | --long | --coverage] [--part N/M] [--list] [SUITE...]

	  (none)      what a change must pass: minutes
	  --quick     the inner loop: seconds
	  --long      all of it with the long counts (HF_LONG=1), Valgrind, and a minute of
	              fuzzing for each target: hours
	  --coverage  the line coverage of the rooms that must have 90 %, and of the stream's decoders
	              by the fuzz corpora alone, which must be 95 %
	  --part N/M  only the Nth of M parts that take about the same time, and the builds that it
	              needs: M machines, or M evenings, make one run
	  --list      only list the suites of this mode
	  SUITE...    only these suites, and the builds that they need

	The last line is "N passed, N failed, N skipped". The exit status is 0 if something
	ran and nothing failed.
	END
}

# Modes: q quick, n normal, l long, c coverage. tests/lib/suite.sh has the build folders and what
# "how" means.
suites()
{
	cat <<-'END'
	# suite         modes  folder       how        what
	shell-syntax    qnl    -            shell
	includes        qnl    -            command    tests/check_includes
	names           qnl    -            command    tests/check_names
	circles         qnl    -            command    tests/check_circles
	format          qnl    -            command    tests/check_format
	tools           nl     -            pytest     tests/lib
	build           qnl    build        compile
	unit            qnl    build        meson      unit:3500
	fuzz-replay     qnl    build        meson      fuzz
	go-peer         nl     build        command    tests/peer/build.sh build/peer
	scenario        qnl    build        meson      scenario:241
	stories         nl     build        pytest     tests/scenario
	model-cases     n      build        pytest     tests/model/test_cases.py
	model           l      build        pytest     tests/model
	e2e             nl     build        pytest     tests/e2e
	unbound-module  nl     build        command    plugin/unbound/build.sh build
	autobahn        nl     build        pytest     tests/autobahn
	resolver        nl     build        pytest     tests/resolver
	chaos           nl     build        pytest     tests/chaos
	build-asan      nl     build-asan   compile
	unit-asan       nl     build-asan   meson      unit:3500
	fuzz-asan       nl     build-asan   meson      fuzz
	dns-asan        nl     build-asan   pytest     tests/e2e/test_dns_server.py
	rights-asan     nl     build-asan   pytest     tests/e2e/test_dns_rights.py
	scenario-asan   nl     build-asan   meson      scenario
	unbound-asan    nl     build-asan   command    plugin/unbound/build.sh build-asan
	module-asan     nl     build-asan   pytest     tests/resolver/test_module_others.py
	reload-asan     nl     build-asan   pytest     tests/chaos/test_reload.py
	model-asan      l      build-asan   pytest     tests/model
	line-asan       l      build-asan   pytest     tests/chaos/test_line_life.py
	build-tsan      n      build-tsan   compile    suite:threads plugin/holdfast-dns tests/tools/mkzone
	build-tsan      l      build-tsan   compile
	threads-tsan    nl     build-tsan   meson      threads
	dns-tsan        nl     build-tsan   pytest     tests/e2e/test_dns_server.py
	unbound-tsan    l      build-tsan   command    plugin/unbound/build.sh build-tsan
	module-tsan     l      build-tsan   pytest     tests/resolver/test_module_life.py
	build-clang     nl     build-clang  compile
	distro-trixie   n      -            distro     trixie
	distro-trixie   l      -            distro     --long trixie
	distro-sid      l      -            distro     --long sid
	packages        l      build        pytest     tests/distro
	builds-bookworm l      -            distro     --builds bookworm
	builds-sid      l      -            distro     --builds sid
	unit-valgrind   l      build        valgrind   unit:3500
	zone-lookup     l      build        command    build/tests/bench/bench_zone_read --check
	decode          l      build        command    build/tests/bench/bench_decode --check
	core            l      build        command    build/tests/bench/bench_core --check
	follow          l      build        command    tests/bench/bench_follow.py --check
	feed-unbound    l      build        command    tests/bench/bench_feed_unbound.py --realtime
	feed-dnsmasq    l      build        command    tests/bench/bench_feed_dnsmasq.py --realtime --check
	build-fuzz      l      build-fuzz   compile
	dns-clang       l      build-fuzz   pytest     tests/e2e/test_dns_server.py
	fuzz-60s        l      build-fuzz   fuzz       60
	build-cov       c      build-cov    compile
	unit-cov        c      build-cov    meson      unit
	fuzz-cov        c      build-cov    meson      fuzz
	scenario-cov    c      build-cov    meson      scenario
	base-90         c      build-cov    coverage   base/
	zone-90         c      build-cov    coverage   zone/
	config-90       c      build-cov    coverage   config/
	store-90        c      build-cov    coverage   bridge/store/
	state-95        c      build-cov    coverage   95:bridge/state/
	decoders-90     c      build-cov    coverage   bridge/stream/wire/(arena|call|call_table|printable|drpc|update_decoder|update_builder|retry_after|sendq|stack|stream_fault|upgrade|websocket|yamux)
	build-corpus    c      build-corpus compile
	fuzz-corpus     c      build-corpus meson      fuzz
	corpus-95       c      build-corpus coverage   95:bridge/stream/wire/(arena|call|call_table|printable|dns_answer|drpc|update_decoder|resolv_conf|update_builder|retry_after|sendq|stack|server_info|upgrade|websocket|yamux)
	END
}

# What takes more than two minutes in a long run, on two cores: minutes, to make parts of it that are equally long.
long_minutes()
{
	cat <<-'END'
	unit          3
	unit-asan     4
	e2e           15
	resolver      10
	chaos         12
	reload-asan   5
	model         9
	model-asan    6
	line-asan     8
	module-tsan   8
	distro-trixie 12
	distro-sid    10
	packages      20
	builds-bookworm 12
	builds-sid    14
	unit-valgrind 10
	fuzz-60s      14
	END
}

# select_suites MODE NAMES PART PARTS: the rows of this run. What others need comes along if a suite that was asked for needs it: the build,
# and within a part also what is made in its folder by a script.
select_suites()
{
	suites | awk -v mode="$1" -v only="$2" -v part="$3" -v parts="$4" -v minutes="$(long_minutes)" '
		BEGIN {
			for (n = split(minutes, m); n > 0; n -= 2)
				weight[m[n - 1]] = m[n]
			n = 0
		}
		function makes(how, what)
		{
			return how == "compile" || what ~ /\/build\.sh$/
		}
		function shortest(  p, best)
		{
			best = 1
			for (p = 2; p <= parts; p++)
				if (sum[p] < sum[best])
					best = p
			return best
		}
		/^#/ || index($2, mode) == 0 { next }
		{
			row[++n] = $0
			made[n] = makes($4, $5)
			asked[n] = only == " " || index(only, " " $1 " ")
			if (asked[n] && !(made[n] && parts > 1)) {
				used[$3] = 1
				p = shortest()
				sum[p] += $1 in weight ? weight[$1] : 1
				asked[n] = p == part
			}
			if (asked[n] && !(made[n] && parts > 1))
				needed[$3] = 1
		}
		END {
			for (i = 1; i <= n; i++) {
				split(row[i], f)
				comes = made[i] && (f[4] == "compile" || parts > 1) && needed[f[3]]
				alone = made[i] && asked[i] && !used[f[3]] && part == 1 # a build that no suite needs
				if (comes || alone || (asked[i] && !(made[i] && parts > 1)))
					print row[i]
			}
		}'
}

logs=build/logs
limit_s=1200 # of one suite
passed=0 failed=0 skipped=0 child=
declare -A broken # build folders that did not compile

# run NAME FOLDER HOW WHAT: runs a suite and prints its count; its log is in $logs.
run()
{
	local name=$1 folder=$2 how=$3 log=$logs/$1.log rc=1

	rm -f "$logs/$name".{json,xml}
	if [ -n "${broken[$folder]}" ]; then
		echo "$folder does not build" >"$log"
	else
		# timeout puts it in a process group of its own: what hangs ends with all its children.
		timeout -k 10 $limit_s bash tests/lib/suite.sh "$logs" "$@" >"$log" 2>&1 </dev/null &
		child=$!
		wait $child
		rc=$?
		child=
	fi
	[ "$how" = compile ] && [ $rc != 0 ] && broken[$folder]=1
	/usr/bin/python3 tests/lib/count.py --status $rc --log "$log" "$how" "$logs/$name"
}

# second_look ROWS: runs what failed in these suites once more, each alone, and counts what passes now as passed.
second_look()
{
	local good

	timeout -k 10 $limit_s /usr/bin/python3 tests/lib/again.py $logs <<<"$1" >$logs/again.log 2>&1 &
	child=$!
	wait $child
	child=
	good=$(tail -n 1 $logs/again.log)
	[[ $good =~ ^[0-9]+$ ]] || { tail -n 5 $logs/again.log; return; }
	sed '$d' $logs/again.log
	passed=$((passed + good)) failed=$((failed - good))
}

# report NAME HOW SECONDS: a suite's line, what failed in it or was skipped, and the end of its log if it failed
report()
{
	local name=$1 how=$2 seconds=$3 p f s

	read -r p f s <"$logs/$name.count"
	printf '%5d passed, %d failed, %d skipped %5d s\n' "$p" "$f" "$s" "$seconds"
	sed -n '2,40s/^/        /p' "$logs/$name.count"
	[ "$how" != coverage ] || sed -n 's/^lines: /        lines: /p' "$logs/$name.log"
	if [ "$f" != 0 ]; then
		echo "        the end of $logs/$name.log:"
		tail -n 40 "$logs/$name.log" | cut -c1-300 | sed 's/^/        | /'
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

main()
{
	local mode=n only=' ' list=no part=1 parts=1 selected total n=0 start name folder how what before bad=
	local sections=(build module examples test)

	while [ $# -gt 0 ]; do
		case $1 in
		--quick) mode=q ;;
		--long) mode=l ;;
		--coverage) mode=c ;;
		--part)
			[[ $2 =~ ^([1-9][0-9]?)/([1-9][0-9]?)$ && ${BASH_REMATCH[1]} -le ${BASH_REMATCH[2]} ]] ||
				{ echo "--part: '$2' is not N/M, with N from 1 to M" >&2; return 2; }
			part=${BASH_REMATCH[1]} parts=${BASH_REMATCH[2]}
			shift
			;;
		--list) list=yes ;;
		-h | --help) usage; return 0 ;;
		-*) usage >&2; return 2 ;;
		*) only+="$1 " ;;
		esac
		shift
	done
	selected=$(select_suites $mode "$only" "$part" "$parts")
	for name in $only; do
		[ "$parts" = 1 ] || break
		grep -q "^$name " <<<"$selected" || { echo "no suite '$name' in this mode" >&2; return 2; }
	done
	[ $list = no ] || { [ -z "$selected" ] || echo "$selected"; return 0; }

	export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
	unset HF_LONG
	case $mode in
	l) export HF_LONG=1; sections+=(long); limit_s=28800 ;;
	c) sections+=(coverage) ;;
	esac
	packages_install "${sections[@]}" || return 2

	mkdir -p $logs
	trap 'kill -TERM $child 2>/dev/null; echo interrupted >&2; exit 130' INT TERM
	total=$(wc -l <<<"$selected")
	while read -r name _ folder how what; do
		n=$((n + 1)) start=$SECONDS
		printf '[%2d/%d] %-14s ' $n "$total" "$name"
		before=$failed
		run "$name" "$folder" "$how" "$what" >"$logs/$name.count"
		report "$name" "$how" $((SECONDS - start))
		[ $failed = "$before" ] || bad+="$name $folder $how $what"$'\n'
	done <<<"$selected"
	# A long run has no second looks: what is unsteady is to be seen somewhere.
	[ -z "$bad" ] || [ $mode != n ] || second_look "${bad%$'\n'}"

	echo "$SECONDS s in all; logs are in $logs/"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ] && [ $passed != 0 ]
}

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/lib/packages.sh
main "$@"; exit # one line, so that bash has read all before it begins: somebody may edit this file meanwhile
