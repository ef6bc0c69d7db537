# Completion of orysh for bash.
_orysh() {
    local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]}
    local line=("${COMP_WORDS[@]:1:COMP_CWORD}")
    # bash takes `--flag=value` apart.
    [[ ${COMP_WORDS[COMP_CWORD-1]} == "=" || $word == "=" ]] && return
    COMPREPLY=($(orysh complete -q -- "${line[@]}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _orysh orysh
