#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Looks at a Coder deployment for a minute: is what it says what Holdfast was built for? Changes nothing there.

usage()
{
	cat <<-'END'
	usage: CODER_URL=https://coder.example.com CODER_SESSION_TOKEN=... tests/live.sh [SECONDS]

	Asks the deployment what holdfastd asks it, follows the workspace updates of the
	token's own user for SECONDS (60 by default) and prints, line by line, what was as
	Holdfast expects it ("as expected"), what was not ("OTHERWISE"), and what could not
	be seen in that time ("not seen"). Then holdfast-follow follows for as long.
	It only reads: names of workspaces are not printed, the token neither.

	Exit status: 0 nothing was otherwise; 1 something was; 2 it could not be looked at.
	END
}

case $1 in
-h | --help) usage; exit 0 ;;
esac
seconds=${1:-60}
if [ -z "$CODER_URL" ] || [ -z "$CODER_SESSION_TOKEN" ] || ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
	usage >&2
	exit 2
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

follow=${HF_BUILD:-build}/examples/follow/holdfast-follow
if [ ! -x "$follow" ]; then
	echo "$follow is not built: meson setup build && ninja -C build" >&2
	exit 2
fi

/usr/bin/python3 tests/live/look.py "$seconds"
looked=$?
[ $looked -le 1 ] || exit 2

echo
echo "holdfast-follow, for $seconds s:"
# Its lines with names stay here.
"$follow" --seconds "$seconds" | sed -n '/^  /!s/^/  /p'
followed=${PIPESTATUS[0]}
[ $looked = 0 ] && [ "$followed" = 0 ]
