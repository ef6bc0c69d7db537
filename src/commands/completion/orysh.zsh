#compdef orysh
# Completion of orysh for zsh.
_orysh() {
    local -a found
    local line
    for line in "${(@f)$(orysh complete --format csv -- "${(@)words[2,CURRENT]}" 2>/dev/null | tail -n +2)}"; do
        [[ -n $line ]] && found+=("${${line%%,*}//:/\\:}:${${line#*,}//\"/}")
    done
    if (( $#found )); then
        _describe 'orysh' found
    else
        _files
    fi
}
compdef _orysh orysh
