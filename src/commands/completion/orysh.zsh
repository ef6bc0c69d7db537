#compdef orysh
# Completion of orysh for zsh.
_orysh() {
    local -a found lines
    local line text
    text="$(orysh complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)" || return 1
    lines=("${(@f)text}")
    for line in "${(@)lines[2,-1]}"; do
        [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( $#found )); then
        _describe 'orysh' found
    else
        _files
    fi
}
# As a file of fpath it is the function itself.
if [[ ${funcstack[1]} == _orysh ]]; then
    _orysh "$@"
else
    compdef _orysh orysh
fi
