"""The command completion: a script with which a shell completes the commands and options of this program."""

import argparse
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.program import PROGRAM

HELP = "print a script with which bash, zsh or fish completes commands and options"
DESCRIPTION = f"""\
{HELP[0].upper()}{HELP[1:]}. It asks nothing at completion; print it again after an upgrade.

examples:
  {PROGRAM} completion bash > ~/.local/share/bash-completion/completions/{PROGRAM}
  {PROGRAM} completion zsh > ~/.zfunc/_{PROGRAM}   where ~/.zshrc has: fpath+=~/.zfunc; autoload -U compinit; compinit
  {PROGRAM} completion fish > ~/.config/fish/completions/{PROGRAM}.fish
"""


@dataclass(frozen=True)
class Option:
    """An option of a command.

    Attributes:
        names: such as --host; the long one is the last.
        help: one line.
        takes_value: whether a value follows.
    """

    names: tuple[str, ...]
    help: str
    takes_value: bool


@dataclass(frozen=True)
class Command:
    """A command of the program, or the program itself: its options, and the words that may be its argument."""

    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...]


def add_to(commands: Any) -> None:
    """Add the command to the program."""
    parser = commands.add_parser(
        "completion", help=HELP, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shell", choices=list(WRITERS))


def write_completion(shell: str, program: Command, commands: Mapping[str, Command]) -> str:
    """Return the script for a shell: bash, zsh or fish."""
    return WRITERS[shell](program, commands)


def describe_parser(parser: argparse.ArgumentParser, help: str) -> Command:
    """Return what a shell has to know of a parser. Options without a help text are hidden: they are former names."""
    options, words = [], []
    for action in parser._actions:  # noqa: SLF001  argparse has no other list of them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        if not action.option_strings:
            words += list(action.choices or ())
        elif action.help != argparse.SUPPRESS:
            names = tuple(sorted(action.option_strings, key=len))
            text = " ".join((action.help or "").split()) % {"default": action.default, "prog": parser.prog}
            options.append(Option(names, text, takes_value=action.nargs != 0))
    return Command(help, tuple(options), tuple(words))


def write_bash(program: Command, commands: Mapping[str, Command]) -> str:
    """Return the script for bash. Where it has no word to offer, bash completes the names of files."""

    def names(command: Command) -> str:
        return " ".join(name for option in command.options for name in option.names)

    cases = "\n".join(
        f"            {name}) options={shlex.quote(names(command))} words={shlex.quote(' '.join(command.words))} ;;"
        for name, command in commands.items()
    )
    first = shlex.quote(f"{' '.join(commands)} {names(program)}")
    return f"""\
# Completes {PROGRAM} in bash: {PROGRAM} completion bash
_{PROGRAM}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} options='' words=''
    if [ "$COMP_CWORD" -eq 1 ]; then
        words={first}
    else
        case ${{COMP_WORDS[1]}} in
{cases}
        esac
        case $current in -*) words=$options ;; esac
    fi
    COMPREPLY=()
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    fi
}}
complete -o default -F _{PROGRAM} {PROGRAM}
"""


def write_zsh(program: Command, commands: Mapping[str, Command]) -> str:
    """Return the script for zsh."""

    def describe(name: str, help: str) -> str:
        return shlex.quote(f"{name.replace(':', chr(92) + ':')}:{help}")

    def options(command: Command) -> str:
        return " ".join(describe(name, option.help) for option in command.options for name in option.names)

    listed = "\n".join(f"        {describe(name, command.help)}" for name, command in commands.items())
    cases = "\n".join(
        f"        {name}) options=({options(command)}); words_=({' '.join(command.words)}) ;;"
        for name, command in commands.items()
    )
    return f"""\
#compdef {PROGRAM}
# Completes {PROGRAM} in zsh: {PROGRAM} completion zsh
_{PROGRAM}() {{
    local -a commands options words_
    commands=(
{listed}
    )
    options=({options(program)})
    if (( CURRENT == 2 )); then
        if [[ $PREFIX == -* ]]; then
            _describe -o option options
        else
            _describe command commands
        fi
        return
    fi
    case $words[2] in
{cases}
    esac
    if [[ $PREFIX == -* ]]; then
        _describe -o option options
    elif (( $#words_ )); then
        _describe word words_
    else
        _files
    fi
}}
if [ "$funcstack[1]" = "_{PROGRAM}" ]; then
    _{PROGRAM} "$@"
else
    compdef _{PROGRAM} {PROGRAM}
fi
"""


def write_fish(program: Command, commands: Mapping[str, Command]) -> str:
    """Return the script for fish. Where it has no word to offer, fish completes the names of files."""

    def quote(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def complete(condition: str, option: Option) -> str:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        value = " -r" if option.takes_value else ""
        return f"complete -c {PROGRAM} -n {quote(condition)} {names}{value} -d {quote(option.help)}"

    none = "__fish_use_subcommand"
    lines = [f"# Completes {PROGRAM} in fish: {PROGRAM} completion fish"]
    lines += [complete(none, option) for option in program.options]
    for name, command in commands.items():
        chosen = f"__fish_seen_subcommand_from {name}"
        lines.append(f"complete -c {PROGRAM} -n {none} -f -a {name} -d {quote(command.help)}")
        lines += [complete(chosen, option) for option in command.options]
        if command.words:
            lines.append(f"complete -c {PROGRAM} -n {quote(chosen)} -f -a {quote(' '.join(command.words))}")
    return "\n".join(lines) + "\n"


WRITERS: dict[str, Callable[[Command, Mapping[str, Command]], str]] = {
    "bash": write_bash,
    "zsh": write_zsh,
    "fish": write_fish,
}
