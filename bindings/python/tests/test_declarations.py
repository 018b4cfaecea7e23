"""What the package declares is what the header says."""

from __future__ import annotations

import ctypes
import inspect
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

import graft
from graft import declarations, library

#: Each struct with the name that it has in C.
STRUCTS = {
    (kind.__doc__ or "").split("``")[1]: kind
    for kind in vars(declarations).values()
    if isinstance(kind, type) and issubclass(kind, ctypes.Structure) and kind is not ctypes.Structure
}


def test_structs_have_the_layout_of_the_compiled_header(tmp_path: Path) -> None:
    assert "graft_trainer_options" in STRUCTS
    lines = ["#include <graft.h>", "#include <stdio.h>", "int main(void) {"]
    for name, struct in STRUCTS.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        lines += [f'printf("{name}.{field[0]} %zu\\n", offsetof({name}, {field[0]}));' for field in struct._fields_]
    source = tmp_path / "layout.c"
    source.write_text("\n".join([*lines, "}"]))
    subprocess.run(["cc", f"-I{ROOT / 'include'}", str(source), "-o", str(tmp_path / "layout")], check=True)
    printed = subprocess.run([str(tmp_path / "layout")], check=True, capture_output=True, text=True).stdout
    expected = dict(line.rsplit(" ", 1) for line in printed.splitlines())
    for name, struct in STRUCTS.items():
        assert str(ctypes.sizeof(struct)) == expected[name], name
        for field in struct._fields_:
            assert str(getattr(struct, field[0]).offset) == expected[f"{name}.{field[0]}"], f"{name}.{field[0]}"


@pytest.mark.parametrize("status", [status for status in graft.Status if status is not graft.Status.OK])
def test_statuses_have_the_names_of_the_header(status: graft.Status) -> None:
    assert library.lib.graft_status_name(status).decode() == f"GRAFT_ERROR_{status.name}"


#: Arguments of their own that are settings of what the struct chooses.
SETTINGS = {"weight_decay": "optimizer", "warmup_ratio": "schedule"}


def trainer_options() -> dict[str, inspect.Parameter]:
    """What help() shows, under the names of the struct's fields; callbacks are Python's alone."""
    parameters = dict(inspect.signature(graft.Trainer).parameters)
    del parameters["model"], parameters["adapter"], parameters["callbacks"]
    return {"thread_count" if name == "threads" else name: parameter for name, parameter in parameters.items()}


def test_the_training_options_have_the_defaults_of_the_library() -> None:
    struct = library.initialised(declarations.TrainerOptions, "graft_trainer_options_init")
    defaults = {name: parameter.default for name, parameter in trainer_options().items()}
    named = {"optimizer": graft.optimizers(), "schedule": graft.schedules(), "step_plan": graft.step_plans()}
    for name, parameter in trainer_options().items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, name
        if name in named:
            assert parameter.default in named[name] and getattr(struct, name) is None, name
            continue
        if name in SETTINGS:
            assert parameter.default is None and name in named[SETTINGS[name]][str(defaults[SETTINGS[name]])], name
            continue
        value = getattr(struct, name)
        if parameter.default is None:
            assert not value, name
        else:
            choices = getattr(declarations, f"{name.upper()}_CHOICES", {})
            assert choices.get(parameter.default, parameter.default) == pytest.approx(value), name


def test_the_training_options_are_those_of_the_struct_and_documented() -> None:
    fields = {name for name, *_ in declarations.TrainerOptions._fields_}
    options = trainer_options()
    assert set(options) - set(SETTINGS) == fields - {"struct_size", "cancel_token", "reserved"}
    for parameter in options.values():
        assert f":param {parameter.name}:" in (graft.Trainer.__doc__ or "")
