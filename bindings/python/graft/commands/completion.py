"""Prints what completes the command line in bash or zsh.

bash    source <(graft completion bash)      in ~/.bashrc
zsh     source <(graft completion zsh)       in ~/.zshrc, after compinit
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from .output import Output

BASH = """_graft() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} choices=
    case "$COMP_CWORD:${{COMP_WORDS[1]}}:$before:$word" in
    1:*) choices="{commands}" ;;
{cases}
    esac
    if [ -n "$choices" ]; then COMPREPLY=($(compgen -W "$choices" -- "$word")); fi
}}
complete -o bashdefault -o default -F _graft graft
"""
ZSH = """#compdef graft
_graft() {{
    if (( CURRENT == 2 )); then
        local -a commands=(
{commands}
        )
        _describe command commands
        return
    fi
    local command=$words[2]
    words=("${{(@)words[2,-1]}}")
    (( CURRENT -= 1 ))
    case $command in
{cases}
    esac
}}
compdef _graft graft
"""


class Command(NamedTuple):
    """What there is to complete of a command."""

    name: str
    help: str
    actions: list[argparse.Action]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh"], help="whose completion")


def run(arguments: argparse.Namespace, output: Output, parser: argparse.ArgumentParser) -> None:
    script = (_bash if arguments.shell == "bash" else _zsh)(commands_of(parser))
    output.line(script.rstrip("\n"))
    output.result({"shell": arguments.shell, "script": script})


def commands_of(parser: argparse.ArgumentParser) -> list[Command]:
    """All commands of a parser, as it knows them."""
    (group,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in group._choices_actions}
    return [Command(name, helps[name], command._actions) for name, command in group.choices.items()]


def _bash(commands: list[Command]) -> str:
    cases = []
    for command in commands:
        for action in command.actions:
            for option in action.option_strings if action.choices else ():
                cases.append(f'    *:{command.name}:{option}:*) choices="{_choices(action)}" ;;')
            if action.choices and not action.option_strings:
                cases.append(f'    2:{command.name}:*) choices="{_choices(action)}" ;;')
        options = " ".join(option for action in command.actions for option in action.option_strings)
        cases.append(f'    *:{command.name}:*:-*) choices="{options}" ;;')
    return BASH.format(commands=" ".join(command.name for command in commands), cases="\n".join(cases))


def _zsh(commands: list[Command]) -> str:
    described = "\n".join(f"            {_quoted(f'{command.name}:{command.help}')}" for command in commands)
    cases = []
    for command in commands:
        words = [word for action in command.actions for word in _zsh_words(action)]
        joined = " \\\n".join(f"            {word}" for word in words)
        cases.append(f"    {command.name})\n        _arguments \\\n{joined} ;;")
    return ZSH.format(commands=described, cases="\n".join(cases))


def _zsh_words(action: argparse.Action) -> list[str]:
    """How `_arguments` writes an argument: what it is, and what may stand there."""
    values = f"({_choices(action)})" if action.choices else "_files"
    if not action.option_strings:
        return [_quoted(f":{action.metavar or action.dest}:{values}")]
    text = ((action.help or "") % vars(action)).replace("[", "(").replace("]", ")")
    value = "" if action.nargs == 0 else f":{action.dest}:{values}"
    return [_quoted(f"{option}[{text}]{value}") for option in action.option_strings]


def _choices(action: argparse.Action) -> str:
    return " ".join(map(str, action.choices or ()))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
