"""What the package declares is what the header says."""

from __future__ import annotations

import ctypes
import inspect
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

import graft
from graft import library, structs, trainer

STRUCTS = {
    "graft_file": structs.FileStruct,
    "graft_model_options": structs.ModelOptions,
    "graft_encode_options": structs.EncodeOptions,
    "graft_head_options": structs.HeadOptions,
    "graft_trainer_options": structs.TrainerOptions,
    "graft_metrics": structs.MetricsStruct,
    "graft_session_options": structs.SessionOptions,
    "graft_generate_options": structs.GenerateOptions,
}

C_TYPES = {
    "int32_t": ctypes.c_int32,
    "graft_task": ctypes.c_int32,
    "graft_status": library.StatusResult,
    "graft_pooling": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t,
    "float": ctypes.c_float,
    "const char *": ctypes.c_char_p,
    "char *": ctypes.c_char_p,
    "const char *const *": library.Texts,
    "const char **": library.Texts,
    "int32_t *": library.Ints,
    "const int32_t *": library.Ints,
    "int64_t *": library.Longs,
    "const int64_t *": library.Longs,
    "float *": library.Floats,
    "void *": ctypes.c_void_p,
    "graft_progress_callback": library.ProgressCallback,
    "graft_token_callback": library.TokenCallback,
    "graft_file_callback": library.FileCallback,
    "const graft_composition *const *": ctypes.POINTER(ctypes.c_void_p),
}


def declared_functions() -> dict[str, tuple[str, list[str]]]:
    """Result and parameter types of each function, as the header spells them."""
    text = subprocess.run(
        ["cc", "-E", "-P", str(ROOT / "include" / "graft.h")], check=True, capture_output=True, text=True
    ).stdout
    text = re.sub(r"__attribute__\(\([^;]*?\)\) ", "", re.sub(r"\s+", " ", text))
    functions = {}
    for result, name, parameters in re.findall(r"([\w *]+?)(graft_\w+)\(([^()]*)\);", text):
        kinds = [] if parameters == "void" else [re.sub(r"\w+$", "", part.strip()) for part in parameters.split(",")]
        functions[name] = (result.strip(), [kind.strip() for kind in kinds])
    return functions


def python_type(spelling: str) -> object:
    if spelling == "void":
        return None
    if spelling == "graft_status":
        return library.StatusResult
    handle = re.fullmatch(r"(?:const )?(graft_\w+) \*", spelling)
    if handle:
        struct = STRUCTS.get(handle[1])
        return ctypes.c_void_p if struct is None else ctypes.POINTER(struct)
    if re.fullmatch(r"graft_\w+ \*\*", spelling):
        return library.Out
    return C_TYPES[spelling]


def test_every_function_of_the_symbol_map_is_declared_and_no_other() -> None:
    listed = set(re.findall(r"\b(graft_\w+);", (ROOT / "include" / "graft.map").read_text()))
    assert set(library.SIGNATURES) == listed


def test_signatures_are_those_of_the_header() -> None:
    functions = declared_functions()
    assert set(functions) == set(library.SIGNATURES)
    for name, (result, parameters) in functions.items():
        # A status that is an argument, as in graft_status_name(), is a number.
        kinds = [ctypes.c_int32 if kind == "graft_status" else python_type(kind) for kind in parameters]
        assert library.SIGNATURES[name] == (python_type(result), *kinds), name


def test_structs_have_the_layout_of_the_compiled_header(tmp_path: Path) -> None:
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


def trainer_options() -> dict[str, inspect.Parameter]:
    """What help() shows, under the names of the struct's fields."""
    parameters = dict(inspect.signature(graft.Trainer).parameters)
    del parameters["model"], parameters["adapter"]
    return {"thread_count" if name == "threads" else name: parameter for name, parameter in parameters.items()}


def test_the_training_options_have_the_defaults_of_the_library() -> None:
    struct = library.initialised(structs.TrainerOptions, "graft_trainer_options_init")
    tables = {"optimizer": trainer.OPTIMIZERS, "schedule": trainer.SCHEDULES, "metric": trainer.METRICS}
    for name, parameter in trainer_options().items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, name
        value = getattr(struct, name)
        if parameter.default is None:
            assert not value, name
        else:
            assert tables.get(name, {}).get(parameter.default, parameter.default) == pytest.approx(value), name


def test_the_training_options_are_those_of_the_struct_and_documented() -> None:
    fields = {name for name, *_ in structs.TrainerOptions._fields_}
    options = trainer_options()
    assert set(options) == fields - {"struct_size", "cancel_token"}
    for parameter in options.values():
        assert f":param {parameter.name}:" in (graft.Trainer.__doc__ or "")
