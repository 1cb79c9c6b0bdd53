"""What an import costs, held by lists of modules rather than by a clock."""

import subprocess
import sys

HEAVY = {"torch", "torchvision", "timm", "openvino", "sklearn", "scipy", "numpy", "PIL", "rich"}


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that are loaded after running ``code`` in a new process."""
    program = f"{code}\nimport sys\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_import_opsin_loads_nothing_heavy() -> None:
    assert not loaded_by("import opsin") & (HEAVY | {"click"})


def test_help_loads_nothing_heavy() -> None:
    asked = "import contextlib, io\nfrom opsin import cli\n"
    asked += "with contextlib.redirect_stdout(io.StringIO()):\n    cli.run(['train', '--help'])"
    assert not loaded_by(asked) & HEAVY


def test_words_and_decoding_do_not_load_torch() -> None:
    names = "results recipe events errors figures card data.dataset data.check data.split report "
    names += "study.page"
    for name in names.split():
        assert "torch" not in loaded_by(f"import opsin.{name}"), name


def test_what_is_computed_by_hand_does_not_load_torch() -> None:
    for name in ("ops.arithmetic", "ops.kernels"):
        assert not loaded_by(f"import opsin.{name}") & HEAVY, name
    rooms = "ops.convolution, opsin.ops.between, opsin.lessons.x_or_o, opsin.lessons.gallery"
    assert "torch" not in loaded_by(f"import opsin.{rooms}")


def test_reading_and_checking_do_not_load_torch() -> None:
    assert "torch" not in loaded_by("import opsin\nopsin.Dataset, opsin.check, opsin.Recipe")
