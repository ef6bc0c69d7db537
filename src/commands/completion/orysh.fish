# Completion of orysh for fish.
function __orysh_complete
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    set -l found (orysh complete -- $words 2>/dev/null)
    or return
    # The first line is the head of a table.
    if test (count $found) -gt 1
        printf '%s\n' $found[2..-1]
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c orysh -f -a '(__orysh_complete)'
