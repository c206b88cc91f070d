#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A hook of the form dhcp-script, as dnsmasq calls its own: keeps a file of hosts lines, one a name.
#
#   adapters:
#     - { type: hook, command: [/usr/local/lib/holdfast/hosts-file.sh, /var/lib/holdfast/names.hosts] }
#
# Called FILE add|old|del ID ADDRESS NAME, one at a time. Status 0 says that it is done; with any other it is called again later.
set -eu
[ $# = 5 ] || { echo "usage: hosts-file.sh FILE add|old|del ID ADDRESS NAME" >&2; exit 2; }
file=$1 what=$2 address=$4 name=$5

new=$file.new
touch "$file"
# Every line but that of this name with this address: a second call does no harm.
awk -v address="$address" -v name="$name" '!($1 == address && $2 == name)' "$file" >"$new"
case $what in
add | old) printf '%s %s\n' "$address" "$name" >>"$new" ;;
del) ;;
*) exit 0 ;; # what later versions may tell
esac
mv "$new" "$file"
