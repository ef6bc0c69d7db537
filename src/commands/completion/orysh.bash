# Completion of orysh for bash.
_orysh() {
    local rest=${COMP_LINE:0:COMP_POINT} words=() last=-1 n part space found one
    # bash takes words apart at `=` and `:`; here they are put together again.
    for (( n = 0; n <= COMP_CWORD; n++ )); do
        part=${COMP_WORDS[n]}
        space=${rest%%[^[:space:]]*}
        rest=${rest#"$space"}
        # What stands behind the cursor stays as it is.
        (( n < COMP_CWORD )) || part=$rest
        if [[ -n $space || $last -lt 0 ]]; then words[++last]=$part; else words[last]+=$part; fi
        rest=${rest#"$part"}
    done
    # What bash replaces is the last part of the word.
    [[ ${COMP_WORDS[COMP_CWORD]} =~ ^[:=]+$ ]] && part=
    local before=${words[last]%"$part"}
    COMPREPLY=()
    found=$(orysh complete -q -- "${words[@]:1}" 2>/dev/null) || return
    if [[ -z $found ]]; then
        compopt -o default 2>/dev/null
        return
    fi
    while IFS= read -r one; do
        case $part in
            \'*) one=${one//\'/\'\\\'\'} ;;
            \"*) one=${one//\\/\\\\}; one=${one//\"/\\\"}; one=${one//\$/\\\$}; one=${one//\`/\\\`} ;;
            *) printf -v one %q "$one" ;;
        esac
        [[ $one == "$before"* ]] && COMPREPLY+=("${one#"$before"}")
    done <<< "$found"
    # Something follows at once.
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}
complete -F _orysh orysh
