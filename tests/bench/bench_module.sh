#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the module costs unbound: the rows of bench_dns.sh that are about it, by flood, in many short rounds.
# Further options are bench_dns.sh's.

only=unbound-empty,unbound-local,unbound-module,unbound-cached,unbound-others,unbound-others-module
exec "$(dirname "${BASH_SOURCE[0]}")/bench_dns.sh" -c flood -r 9 -s 2 -o $only "$@"
