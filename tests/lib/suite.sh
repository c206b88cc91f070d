#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bash tests/lib/suite.sh LOGS NAME FOLDER HOW WHAT: runs one suite of tests/run.sh's table. Results that
# tests/lib/count.py can read are left in LOGS/NAME.json or LOGS/NAME.xml; a suite without them is one test, and its
# exit status tells: 0 passed, 77 skipped (the last line says why), anything else failed.

logs=$1 name=$2 folder=$3 how=$4 what=$5
jobs=2

# What a build folder is set up with: the compiler, then meson's options.
folder_setup()
{
	case $folder in
	build)       echo gcc ;;
	build-asan)  echo gcc -Db_sanitize=address,undefined ;;
	build-clang) echo clang ;;
	build-tsan)  echo gcc -Db_sanitize=thread ;;
	build-fuzz)  echo clang -Dfuzz=true -Db_sanitize=address,undefined ;;
	build-cov | build-corpus) echo gcc -Db_coverage=true -Doptimization=0 -Dwerror=false ;;
	esac
}

# A folder that was set up while Check was missing has no unit tests, and would not get them by itself.
lacks_unit_tests()
{
	meson introspect --tests "$folder" 2>/dev/null | grep -q '"unit-not-built"' &&
		pkg-config --exists check
}

# A person's own folder takes warnings as warnings; here they are errors.
has_option()
{
	meson introspect --buildoptions "$folder" 2>/dev/null | /usr/bin/python3 -c '
import json, sys
name, value = sys.argv[1].split("=")
sys.exit(not any(o["name"] == name and str(o["value"]).lower() == value for o in json.load(sys.stdin)))' "$1"
}

# programs_of SUITE: what its tests run, as ninja calls it
programs_of()
{
	meson introspect --tests "$folder" | /usr/bin/python3 -c '
import json, os, sys
print(*sorted({os.path.relpath(t["cmd"][0], sys.argv[2]) for t in json.load(sys.stdin) if sys.argv[1] in [s.split(":")[-1] for s in t["suite"]]}))' \
		"$1" "$(realpath "$folder")"
}

# All, or only what the suites of a mode need: targets, and the programs of suite:NAME.
run_compile()
{
	local compiler options strict=-Dwerror=true word targets=

	read -r compiler options <<<"$(folder_setup)"
	[[ $options != *werror=* ]] || strict=
	if [ ! -e "$folder/build.ninja" ]; then
		# shellcheck disable=SC2086 # one word an option
		CC=$compiler meson setup "$folder" $strict $options || return
	fi
	ninja -C "$folder" build.ninja || return # what changed in meson.build counts first
	if lacks_unit_tests; then
		echo "$folder was set up without Check: set up again"
		meson setup --reconfigure "$folder" || return
	fi
	if [ -n "$strict" ] && has_option werror=false; then
		meson configure "$folder" $strict || return
	fi
	for word in $what; do
		case $word in
		suite:*) targets+=" $(programs_of "${word#suite:}")" ;;
		*) targets+=" $word" ;;
		esac
	done
	# shellcheck disable=SC2086 # one word a target
	ninja -C "$folder" -j $jobs $targets
}

# Every file that says it is a shell script.
run_shell()
{
	local file rc=0

	for file in $(grep -rIlE --exclude-dir='build*' --exclude-dir=.git '^#!/bin/(ba)?sh' .); do
		echo "$file"
		bash -n "$file" || rc=1
	done
	return $rc
}

# Under a sanitizer all of a program's tests run in one process: looking for leaks costs more than most tests, and
# is done once a process.
# "SUITE", or "SUITE:LEAST": fewer tests than that passed is a failure, since then some were not built. HF_AGAIN has
# the programs, a line each, if not all are to run.
run_meson()
{
	local rc least=${what#*:} n programs=()

	what=${what%%:*}
	[ "$least" != "$what" ] || least=0
	if [ -n "$HF_AGAIN" ]; then
		mapfile -t programs <<<"$HF_AGAIN"
		least=0 jobs=1
	fi
	case $folder in
	# A second of waiting at each exit, which is the default, is a second for each process that a test forks.
	build-asan | build-tsan) export CK_FORK=no TSAN_OPTIONS=atexit_sleep_ms=0 ;;
	esac
	meson test -C "$folder" --no-rebuild --suite "$what" --num-processes $jobs \
		--logbase "$name" --print-errorlogs "$@" "${programs[@]}"
	rc=$?
	cp "$folder/meson-logs/$name.json" "$logs/" 2>/dev/null ||
		cp "$folder/meson-logs/$name-valgrind.json" "$logs/$name.json"
	n=$(/usr/bin/python3 tests/lib/count.py --status $rc --log /dev/null meson "$logs/$name" | awk 'NR == 1 { print $1 }')
	if [ $rc = 0 ] && [ "$n" -lt "$least" ] && ! grep -q unit-not-built "$logs/$name.json"; then
		echo "only $n tests of suite $what passed, of at least $least: some are not built"
		return 1
	fi
	return $rc
}

run_valgrind()
{
	export CK_FORK=no HF_VALGRIND=1 # what cannot be under it asks for the latter
	unset HF_LONG # it is slow enough with the short counts
	run_meson --timeout-multiplier 20 --wrapper \
		'valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=99'
}

# HF_AGAIN has the tests, a line each, if not all are to run.
run_pytest()
{
	local parallel=() tests=("$what")

	export ASAN_OPTIONS=abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		TSAN_OPTIONS=halt_on_error=1:abort_on_error=1:atexit_sleep_ms=0

	# These tests wait more than they work: several files at once.
	[ ! -d "$what" ] || parallel=(-n $((jobs + 2)) --dist loadfile)
	[ -z "$HF_AGAIN" ] || { mapfile -t tests <<<"$HF_AGAIN"; parallel=(); }
	HF_BUILD=$PWD/$folder /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider "${parallel[@]}" \
		--junitxml="$logs/$name.xml" "${tests[@]}"
}

# One target, on what earlier runs have found and the corpus; what breaks it is kept in $folder/broke/. Its log is in $folder/found/.
fuzz_one()
{
	local target=$1 it words=()

	it=${target##*/fuzz_}
	mkdir -p "$folder/broke/$it" "$folder/found/$it"
	[ -f "tests/fuzz/$it.dict" ] && words=(-dict="tests/fuzz/$it.dict")
	"$target" "${words[@]}" -max_total_time="$what" -timeout=5 -print_final_stats=1 \
		-artifact_prefix="$folder/broke/$it/" "$folder/found/$it" "tests/fuzz/corpus/$it" >"$folder/found/$it.log" 2>&1
	echo $? >"$folder/found/$it.status"
}

# Each target by itself, as many at once as there are jobs.
run_fuzz()
{
	local target it rc=0

	rm -f "$folder"/found/*.status
	for target in "$folder"/tests/fuzz/fuzz_*; do
		[ ! -f "$target" ] || printf '%s\0' "$target"
	done | (
		export -f fuzz_one
		export folder what
		xargs -0 -n 1 -P $jobs bash -c 'fuzz_one "$1"' -
	)
	for target in "$folder"/tests/fuzz/fuzz_*; do
		[ -f "$target" ] || continue
		it=${target##*/fuzz_}
		echo "== $it"
		cat "$folder/found/$it.log"
		echo # what a program printed last may have no end
		if [ "$(cat "$folder/found/$it.status")" = 0 ]; then
			echo "ok - $it"
		else
			echo "not ok - $it"
			rc=1
		fi
	done
	return $rc
}

# "REGEX", or "PERCENT:REGEX" where it is not 90.
run_coverage()
{
	local percent=90

	if [[ $what =~ ^([0-9]+):(.*) ]]; then
		percent=${BASH_REMATCH[1]}
		what=${BASH_REMATCH[2]}
	fi
	gcovr --object-directory "$folder" --filter "$what" --exclude-throw-branches --txt -s \
		--fail-under-line "$percent"
}

# Another release of Debian; its own lines have the counts.
run_distro()
{
	# shellcheck disable=SC2086 # options and a release
	tests/distro/run.sh $what
}

run_command()
{
	$what
}

"run_$how"; exit # one line, so that bash has read all before it begins: somebody may edit this file meanwhile
