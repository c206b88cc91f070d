#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build_id.sh PROGRAM: a header with PROGRAM's build id, for the module that only that program may use.

id=$(LC_ALL=C readelf -n "$1" 2>/dev/null | sed -n 's/^ *Build ID: \([0-9a-f]*\)$/\1/p')
if [ -z "$id" ]; then
	echo "$1 has no build id: link it with -Wl,--build-id, the module could not know it again" >&2
	exit 1
fi
printf '/* of %s */\n#define HF_UNBOUND_BUILD_ID "%s"\n' "$1" "$id"
