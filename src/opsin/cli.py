"""The command line, derived from the verbs' signatures: same words, same argument names.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 2 the input or
the call is wrong, 1 a defect of ours.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import click

from opsin import __version__, verbs
from opsin.errors import OpsinError
from opsin.recipe import Recipe

PLUGINS = {"policy": "engine/policies", "task": "tasks"}  # settings that name a file
VERBS = (
    *(verbs.check, verbs.convert, verbs.train, verbs.evaluate, verbs.predict),
    *(verbs.locate, verbs.crops, verbs.quantize),
    *(verbs.study, verbs.ensemble, verbs.augment, verbs.convolve, verbs.nets),
)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # Threads of one computation wait for each other thousands of times a second. If they spin while
    # a neighbour holds a core, what takes 2 s takes 27 s; asleep, 3 s. A few microseconds of
    # spinning cost a neighbour nothing and save waking up (docs/decisions/0004).
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    warnings.filterwarnings("ignore", module="PIL")  # a damaged EXIF block is nobody's concern here
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        group().main(arguments, prog_name="opsin", standalone_mode=False)
    except click.exceptions.Abort:
        resumable = "`opsin train --resume RUN`, a study with `opsin study --resume --out STUDY`"
        click.echo(f"opsin: interrupted. A training run goes on with {resumable}.", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OpsinError as error:
        click.echo(f"opsin: {error}", err=True)
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        traceback.print_exc()
        click.echo("opsin: this is a defect of opsin; please report the lines above.", err=True)
        return 1
    return 0


def group() -> click.Group:
    """Return the ``opsin`` command with a subcommand for each verb."""
    top = click.Group(
        "opsin",
        help="Turn pictures into vision models you can measure, understand and ship.",
        epilog='Shell completion: eval "$(_OPSIN_COMPLETE=bash_source opsin)" (or zsh, fish).',
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    click.version_option(__version__, prog_name="opsin")(top)
    for verb in VERBS:
        top.add_command(command(verb))
    return top


def command(verb: Callable[..., Any]) -> click.Command:
    """Return the click command of a verb: its parameters, help and examples."""
    story = _Docstring(inspect.getdoc(verb) or "")
    signature = inspect.signature(verb)
    words = [n for n, p in signature.parameters.items() if p.kind is not p.KEYWORD_ONLY]
    arguments = [f"  {n.upper():8} {story.arguments[n]}" for n in words if n != "recipe"]
    explained = "\b\nArguments:\n" + "\n".join(arguments) if arguments else ""
    parameters: list[click.Parameter] = []
    for name, parameter in inspect.signature(verb).parameters.items():
        if name == "recipe":
            parameters += [_setting(spec) for spec in fields(Recipe)]
        elif name != "watch":
            parameters.append(_parameter(verb, parameter, story.arguments.get(name, "")))
    parameters.append(click.Option(["--json", "as_json"], is_flag=True, help="print JSON"))
    if _streams(verb):
        parameters.append(click.Option(["--csv", "as_csv"], is_flag=True, help="print CSV"))
    return click.Command(
        verb.__name__,
        params=parameters,
        callback=lambda **given: _call(verb, given),
        help=f"{story.text}\n\n{explained}",
        short_help=story.text.partition("\n")[0],
        epilog="\b\nExamples:\n" + "\n".join(f"  {line}" for line in story.examples),
    )


class _Docstring:
    """Splits a verb's docstring into its text, what it says of each argument, and examples."""

    def __init__(self, text: str) -> None:
        head, _, rest = text.partition("Args:")
        arguments, _, examples = (rest or text).partition("Examples:")
        self.text = (head if rest else head.partition("Examples:")[0]).strip()
        self.arguments = dict(re.findall(r"^\s*(\w+): (.+)$", arguments if rest else "", re.M))
        self.examples = [line.strip() for line in examples.splitlines() if line.strip()]


NUMBERS = {"int": int, "float": float}  # annotations that are numbers; all else is text


def _parameter(
    verb: Callable[..., Any], parameter: inspect.Parameter, about: str
) -> click.Parameter:
    """Return the argument or option of one parameter of a verb."""
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
        default = None if parameter.default is None else str(parameter.default)
        kind = str(parameter.annotation)
        flag = f"--{parameter.name.replace('_', '-')}"
        if kind == "bool":
            return click.Option([flag], is_flag=True, help=about)
        return click.Option(
            [flag],
            type=click.Path() if "Path" in kind else NUMBERS.get(kind.partition(" ")[0], str),
            default=default,
            help=about,
            show_default=bool(default),
        )
    many = "Sequence" in str(inspect.signature(verb).parameters[parameter.name].annotation)
    required = parameter.default is inspect.Parameter.empty
    count = -1 if many else 1
    return click.Argument([parameter.name], type=click.Path(), required=required, nargs=count)


def _setting(spec: Any) -> click.Option:
    """Return the option of one field of the recipe."""
    kinds = get_type_hints(Recipe)
    names = {getattr(kind, "__name__", "") for kind in getattr(kinds[spec.name], "__args__", ())}
    kind = next((k for k in (int, float) if kinds[spec.name] is k or k.__name__ in names), str)
    about = spec.metadata
    flag = f"--{spec.name}"
    if kinds[spec.name] is bool:
        return click.Option([flag], is_flag=True, default=spec.default, help=about["help"])
    return click.Option(
        [flag],
        type=click.Choice(about["choices"]) if about["choices"] else kind,
        default=spec.default,
        show_default=spec.default is not None,
        help=about["help"],
        shell_complete=_complete(spec.name) if spec.name in PLUGINS else None,
    )


def _complete(name: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return what completes a setting whose words are the files of a folder."""

    def matching(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
        files = (Path(__file__).parent / PLUGINS[name]).glob("[!_]*.py")
        return sorted(w for w in {"auto", *(f.stem for f in files)} if w.startswith(begun))

    return matching


def _streams(verb: Callable[..., Any]) -> bool:
    """Say whether a verb returns an iterator, whose items are printed as they come."""
    return "Iterator" in str(inspect.signature(verb).return_annotation)


def _call(verb: Callable[..., Any], given: dict[str, Any]) -> None:
    """Call a verb with what was typed and show what it returns."""
    from opsin import terminal

    as_json, as_csv = given.pop("as_json"), given.pop("as_csv", False)
    if as_json and as_csv:
        raise click.UsageError("--json and --csv: give one of them.")
    takes = inspect.signature(verb).parameters
    if "recipe" in takes:
        settings = {spec.name: given.pop(spec.name) for spec in fields(Recipe)}
        changed = settings != Recipe().to_dict()
        given["recipe"] = Recipe(**settings) if changed or not given.get("resume") else None
    if "watch" in takes and os.environ.get("RANK", "0") == "0":
        # What libraries print meanwhile (Ray does, when a node dies) is no result.
        with terminal.progress() as watch, contextlib.redirect_stdout(sys.stderr):
            result = verb(**given, watch=watch)
    else:
        result = verb(**given)
    if os.environ.get("RANK", "0") == "0":
        style = "json" if as_json else "csv" if as_csv else "text"
        if isinstance(result, Iterator):
            terminal.print_stream(result, style)
        else:
            terminal.print_result(result, style)
