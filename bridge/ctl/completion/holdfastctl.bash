# SPDX-License-Identifier: Apache-2.0
# bash completion for holdfastctl(1)

_holdfastctl_names()
{
	# Patterns, so that the bridge sends no more than what is asked for.
	holdfastctl "${given[@]}" records --name "$1*" 2>/dev/null | cut -d' ' -f1
}

_holdfastctl_sources()
{
	holdfastctl "${given[@]}" sources 2>/dev/null | sed -n 's/^  source \([^:]*\):.*/\1/p'
}

_holdfastctl_adapters()
{
	holdfastctl "${given[@]}" adapters 2>/dev/null | sed -n 's/^  adapter \([^: ]*\):.*/\1/p'
}

_holdfastctl()
{
	local commands='status records sources adapters watch history why verify resync accept reject export setup doctor version help'
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local given=() command='' i words=''

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config | -s | --socket)
			given+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			((i++))
			;;
		-*) ;;
		*)
			[ -n "$command" ] || command=${COMP_WORDS[i]}
			;;
		esac
	done
	case $prev in
	-c | --config | -s | --socket | --resolv-conf | --unbound-conf)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	--name)
		COMPREPLY=($(compgen -W "$(_holdfastctl_names "$cur")" -- "$cur"))
		return
		;;
	esac
	case $command in
	'') words="$commands" ;;
	status) words='--resolv-conf' ;;
	why) words="$(_holdfastctl_names "$cur") --resolv-conf" ;;
	accept | reject) words="$(_holdfastctl_sources) --deployment --suffix --dry-run --yes" ;;
	export) words='hosts json zone' ;;
	setup) words="--for-version $(holdfastctl "${given[@]}" setup 2>/dev/null | sed -n 's/^\([a-z-]*\)  .*/\1/p')" ;;
	records) words='--stale --name' ;;
	history) words='--name' ;;
	verify) words="$(_holdfastctl_adapters) --full" ;;
	resync) words="$(_holdfastctl_adapters) --recover" ;;
	help) words=$commands ;;
	doctor) words='--resolv-conf --unbound-conf' ;;
	esac
	case $cur in
	-*) words="$words --json --config --socket --help --version" ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

complete -F _holdfastctl holdfastctl
