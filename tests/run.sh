#!/bin/bash
# Installs what is missing, builds, and runs every suite. CONTRIBUTING.md tells more.

usage()
{
	cat <<-'END'
	usage: tests/run.sh [--quick | --long | --coverage] [--list] [SUITE...]

	  (none)      what a change must pass: minutes
	  --quick     the inner loop: seconds
	  --long      all of it with the long counts (HF_LONG=1), Valgrind, and a minute of
	              fuzzing for each target: hours
	  --coverage  the line coverage of the rooms that must have 90 %
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
	tools           nl     -            pytest     tests/lib
	build           qnl    build        compile
	unit            qnl    build        meson      unit
	fuzz-replay     qnl    build        meson      fuzz
	go-peer         nl     build        command    tests/peer/build.sh build/peer
	scenario        qnl    build        meson      scenario
	e2e             nl     build        pytest     tests/e2e
	resolver        nl     build        pytest     tests/resolver
	chaos           nl     build        pytest     tests/chaos
	quickstart      nl     build        command    examples/quickstart.sh --once --port 0
	build-asan      nl     build-asan   compile
	unit-asan       nl     build-asan   meson      unit
	fuzz-asan       nl     build-asan   meson      fuzz
	dns-asan        nl     build-asan   pytest     tests/e2e/test_dns_server.py
	scenario-asan   nl     build-asan   meson      scenario
	build-tsan      nl     build-tsan   compile
	threads-tsan    nl     build-tsan   meson      threads
	dns-tsan        nl     build-tsan   pytest     tests/e2e/test_dns_server.py
	build-clang     nl     build-clang  compile
	unit-valgrind   l      build        valgrind   unit
	zone-lookup     l      build        command    build/tests/bench/bench_zone_read --check
	decode          l      build        command    build/tests/bench/bench_decode --check
	build-fuzz      l      build-fuzz   compile
	fuzz-60s        l      build-fuzz   fuzz       60
	build-cov       c      build-cov    compile
	unit-cov        c      build-cov    meson      unit
	fuzz-cov        c      build-cov    meson      fuzz
	base-90         c      build-cov    coverage   base/
	zone-90         c      build-cov    coverage   zone/
	config-90       c      build-cov    coverage   config/
	store-90        c      build-cov    coverage   bridge/store/
	decoders-90     c      build-cov    coverage   bridge/stream/(arena|calls?|clip|drpc|messages|result|retry_after|sendq|stack|trouble|upgrade|websocket|yamux)
	END
}

mode=n only=' ' list=no
while [ $# -gt 0 ]; do
	case $1 in
	--quick) mode=q ;;
	--long) mode=l ;;
	--coverage) mode=c ;;
	--list) list=yes ;;
	-h | --help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) only+="$1 " ;;
	esac
	shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/lib/packages.sh

# The suites of this run, one a line. A build comes along if a suite that was asked for needs it.
selected=$(suites | awk -v mode="$mode" -v only="$only" '
	/^#/ || index($2, mode) == 0 { next }
	{ row[++n] = $0; asked[n] = only == " " || index(only, " " $1 " "); if (asked[n]) folder[$3] = 1 }
	END {
		for (i = 1; i <= n; i++) {
			split(row[i], f)
			if (asked[i] || (f[4] == "compile" && folder[f[3]]))
				print row[i]
		}
	}')
for name in $only; do
	grep -q "^$name " <<<"$selected" || { echo "no suite '$name' in this mode" >&2; exit 2; }
done
if [ $list = yes ]; then
	echo "$selected"
	exit 0
fi

export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
unset HF_LONG
sections=(build test)
limit_s=1200 # of one suite
case $mode in
l) export HF_LONG=1; sections+=(long); limit_s=28800 ;;
c) sections+=(coverage) ;;
esac
packages_install "${sections[@]}" || exit 2

logs=build/logs
mkdir -p $logs
passed=0 failed=0 skipped=0 child=
declare -A broken # build folders that did not compile

trap 'kill -TERM $child 2>/dev/null; echo interrupted; exit 130' INT TERM

# run NAME FOLDER HOW WHAT: runs a suite and counts it; its log is in $logs.
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

report()
{
	local name=$1 how=$2 counts=$3 seconds=$4 p f s

	read -r p f s <<<"$counts"
	printf '%5d passed, %d failed, %d skipped %5d s\n' "$p" "$f" "$s" "$seconds"
	tail -n +2 <<<"$counts" | head -n 40 | sed 's/^/        /'
	[ "$how" != coverage ] || sed -n 's/^lines: /        lines: /p' "$logs/$name.log"
	if [ "$f" != 0 ]; then
		echo "        the end of $logs/$name.log:"
		tail -n 40 "$logs/$name.log" | cut -c1-300 | sed 's/^/        | /'
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

n=0
total=$(wc -l <<<"$selected")
while read -r name _ folder how what; do
	n=$((n + 1)) start=$SECONDS
	printf '[%2d/%d] %-14s ' $n "$total" "$name"
	run "$name" "$folder" "$how" "$what" >"$logs/$name.count"
	report "$name" "$how" "$(cat "$logs/$name.count")" $((SECONDS - start))
done <<<"$selected"

echo "$SECONDS s in all; logs are in $logs/"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $((passed + skipped)) != 0 ] && [ $passed != 0 ]
