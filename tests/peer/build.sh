#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/peer/build.sh FOLDER: builds the peer into FOLDER/peer, where Go 1.25 or newer is there; else it is skipped (77).
PATH=$PATH:/usr/local/go/bin
folder=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2

version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
if [ "${version:-0}" -lt 25 ]; then
	echo "the peer needs Go 1.25 or newer"
	exit 77
fi
export GOTOOLCHAIN=local
mkdir -p "$folder" && go vet ./... && go build -o "$folder/peer" .
