# SPDX-License-Identifier: GPL-2.0-only
#
# Completes wgvia's command line in fish. The rules for all shells are in the file for bash and zsh, beside this one or
# where `make install` puts it: a bash reads it and prints the proposals with their descriptions. Without bash nothing
# is proposed. Debian's fish looks below /usr/local/share only if XDG_DATA_DIRS names it.

for file in (status dirname)/../../bash-completion/completions/wgvia (status dirname)/wgvia
    test -r $file; and set -g __wgvia_words $file
end

function __wgvia_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (bash -c '
        . "$0" || exit
        proposals="" paths="" about="" behind=""
        _wgvia_propose "$@"
        printf "%s\n" "$paths"
        _wgvia_describe "$1"' "$__wgvia_words" $words 2>/dev/null)
    switch "$answer[1]"
        case file
            __fish_complete_path (commandline -ct)
        case directory
            __fish_complete_directories (commandline -ct) ''
    end
    string join \n -- $answer[2..]
end

complete -c wgvia -f -a '(__wgvia_complete)'
