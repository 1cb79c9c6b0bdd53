"""The public names, their signatures and their docstrings: what must not change by accident."""

import inspect

import opsin
from opsin import cli
from opsin.recipe import Recipe


def test_public_names() -> None:
    assert set(opsin.__all__) == {
        "Boxes", "Dataset", "Label", "Model", "OpsinError", "Recipe", "Sample", "Value",
        "check", "evaluate", "ops", "predict", "train",
    }  # fmt: skip
    for name in opsin.__all__:
        assert inspect.getdoc(getattr(opsin, name)), name


def test_every_verb_is_a_command_with_the_same_words() -> None:
    commands = cli.group().commands
    assert set(commands) == {verb.__name__ for verb in cli.VERBS}
    for verb in cli.VERBS:
        words = set(inspect.signature(verb).parameters) - {"watch", "recipe"}
        typed = {parameter.name for parameter in commands[verb.__name__].params}
        assert words <= typed
        assert "as_json" in typed
    assert set(Recipe.__dataclass_fields__) <= {p.name for p in commands["train"].params}


def test_signatures_are_short() -> None:
    for name in opsin.__all__:
        thing = getattr(opsin, name)
        if inspect.isfunction(thing):
            parameters = inspect.signature(thing).parameters.values()
            assert len(parameters) <= 7, name
            assert all(p.kind is not p.VAR_KEYWORD for p in parameters), name


def test_help_of_every_verb_shows_examples() -> None:
    for verb in cli.VERBS:
        context = cli.click.Context(cli.command(verb), info_name=f"opsin {verb.__name__}")
        shown = cli.command(verb).get_help(context)
        assert "Examples:" in shown
        assert f"opsin {verb.__name__}" in shown
