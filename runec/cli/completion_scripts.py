"""The completion scripts of bash, zsh and fish, and the answers that they request on the Tab key.

As click's, but files are offered by suffix, bash completes words with a colon (`emulator:BOARD`),
and the usual values are found without importing the verb they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from runec.cli.completion_values import Offer, boards, boards_or_all, devices, ports, target_names
from runec.cli.options import A_RUNEFILE, RUNE_OR_RUNEFILE

VARIABLE = "_RUNEC_COMPLETE"

_BOARD: Mapping[str, Offer] = {"-b": boards, "--board": boards}
_PORT: Mapping[str, Offer] = {"-p": ports, "--port": ports}
_RUNE: Mapping[str, Offer] = {"": RUNE_OR_RUNEFILE.offer}
_RUNEFILE: Mapping[str, Offer] = {"": A_RUNEFILE.offer}
# Values of the options of each verb; "": of its first argument. What the verb itself offers, which
# takes 0.3 s to import.
QUICK: Mapping[tuple[str, ...], Mapping[str, Offer]] = {
    ("build",): _RUNEFILE,
    ("check",): _RUNEFILE,
    ("run",): {**_RUNE, "--on": target_names},
    ("size",): {**_RUNE, **_BOARD},
    ("flash",): {**_RUNE, **_BOARD, **_PORT},
    ("monitor",): {**_RUNE, **_BOARD, **_PORT, "--on": devices},
    ("firmware", "new"): {**_RUNE, **_BOARD},
    ("firmware", "build"): {**_RUNE, "-b": boards_or_all, "--board": boards_or_all},
}


def quick_offer(args: list[str], incomplete: str) -> list[CompletionItem] | None:
    """Return the completions of a word from the table; None if the verb must be imported."""
    for verb, offers in QUICK.items():
        if tuple(args[: len(verb)]) != verb or "--" in args:
            continue
        words = args[len(verb) :]
        name, equals, value = incomplete.partition("=")
        if equals and name.startswith("--") and name in offers:
            return offers[name](value)
        if words and words[-1].startswith("-") and words[-1] in offers:
            return offers[words[-1]]("" if incomplete == "=" else incomplete)
        if not words and not incomplete.startswith("-"):
            return offers[""](incomplete)
    return None


def _suffixes(item: CompletionItem) -> str:
    """The ends of names that are offered, in lower and upper case; empty: all files."""
    found: tuple[str, ...] = item.suffixes or ()
    upper = (suffix.upper() for suffix in found if suffix.startswith("."))
    return " ".join((*found, *upper))


class _Quick(ShellComplete):
    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return the completions from the table, or else from click."""
        found = quick_offer(args, incomplete)
        return super().get_completions(args, incomplete) if found is None else found

    def format_completion(self, item: CompletionItem) -> str:
        """Put the suffixes of a file in the place of its value."""
        if item.type == "file":
            item = CompletionItem(_suffixes(item), type="file")
        return super().format_completion(item)

    def source(self) -> str:
        """Return the script; bash's own would first run bash for its version."""
        return ShellComplete.source(self).strip("\n")


# Bash splits words at ":" and "=" as well and replaces only what follows: the words are joined
# again, and what stands before the last colon is taken off the answers. Errors would appear in the
# middle of the line that is typed, so no script shows them.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT} words=() rest word type value suffix cut= i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        rest=${line#"${line%%%%[![:space:]]*}"}
        ((i == COMP_CWORD)) && word=$rest
        if ((i > 0)) && [[ $rest == "$line" && -n $line ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        line=${rest#"$word"}
    done
    word=${words[-1]}
    if [[ $COMP_WORDBREAKS == *:* && $word == *:* ]]; then
        cut=${word%%"${word##*:}"}
        [[ $cut == --*=* ]] && cut=${cut#*=}
    fi
    [[ $word == --*=* ]] && word=${word#*=}
    COMPREPLY=()
    while IFS=, read -r type value; do
        if [[ $type == dir ]]; then
            compopt -o dirnames
        elif [[ $type == file && -z $value ]]; then
            compopt -o default
        elif [[ $type == file ]]; then
            compopt -o filenames -o default
            COMPREPLY+=($(compgen -d -- "$word"))
            IFS=' ' read -r -a suffixes <<< "$value"
            for suffix in "${suffixes[@]}"; do
                COMPREPLY+=($(compgen -f -X "!*$suffix" -- "$word"))
            done
        elif [[ $type == plain ]]; then
            COMPREPLY+=("${value#"$cut"}")
        fi
    done < <(IFS=' '; env COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a plain described response patterns
    local type key descr
    (( ! $+commands[%(prog_name)s] )) && return 1

    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \\
        %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}")

    [[ $words[CURRENT] == --*=* ]] && compset -P 1 '--*='

    for type key descr in ${response}; do
        if [[ "$type" == "plain" && "$descr" == "_" ]]; then
            plain+=("$key")
        elif [[ "$type" == "plain" ]]; then
            described+=("$key":"$descr")
        elif [[ "$type" == "dir" ]]; then
            _path_files -/
        elif [[ "$type" == "file" && "$key" == "_" ]]; then
            _path_files -f
        elif [[ "$type" == "file" ]]; then
            patterns=("*"${^=key})
            _files -g "${patterns[*]}"
        fi
    done

    [[ -n "$described" ]] && _describe -V unsorted described -U
    [[ -n "$plain" ]] && compadd -V unsorted -a plain
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = """\
function %(complete_func)s
    set -l word (commandline -t)
    set -l response (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \\
        COMP_CWORD=$word %(prog_name)s 2>/dev/null)
    set -l path (string replace -r -- '^--[^=]*=' '' "$word")
    set -l option (string match -r -- '^--[^=]*=' "$word")

    for completion in $response
        set -l parts (string split -m 1 "," -- $completion)
        if test $parts[1] = "dir"
            printf '%%s\\n' "$option"(__fish_complete_directories $path)
        else if test $parts[1] = "file" -a -z "$parts[2]"
            printf '%%s\\n' "$option"(__fish_complete_path $path)
        else if test $parts[1] = "file"
            set -l ends (string split " " -- $parts[2] | string escape --style=regex)
            printf '%%s\\n' "$option"(__fish_complete_path $path | string match -r -- \\
                "^[^\\t]*(?:/|"(string join "|" $ends)")(?:\\t.*)?\\$")
        else if test $parts[1] = "plain"
            printf '%%s\\n' "$option"$parts[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _Bash(_Quick, BashComplete):
    source_template = _BASH


class _Zsh(_Quick, ZshComplete):
    source_template = _ZSH

    def format_completion(self, item: CompletionItem) -> str:
        """Never leave a line empty: zsh drops those."""
        kind, value, text = super().format_completion(item).split("\n", 2)
        return f"{kind}\n{value or '_'}\n{text}"


class _Fish(_Quick, FishComplete):
    source_template = _FISH


SHELLS: Mapping[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def register() -> None:
    """Make click answer with these classes."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)


def script(shell: str, cli: Any) -> str:
    """Return the completion script of a shell for the command `cli`."""
    return SHELLS[shell](cli, {}, "runec", VARIABLE).source()
