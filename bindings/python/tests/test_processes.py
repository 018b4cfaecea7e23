"""What needs a process of its own: Ctrl-C, progress, life without numpy, the installed package."""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
import venv
from pathlib import Path

import pytest
from conftest import ROOT
from test_generation import STORIES

# A process that was started in the background, as this one may be, ignores Ctrl-C until it says
# otherwise.
TRAINING = """
import signal, sys, graft
signal.signal(signal.SIGINT, signal.default_int_handler)
folder, rows = sys.argv[1], int(sys.argv[2])
model, tokenizer = graft.Model(folder), graft.Tokenizer(folder)
adapter = graft.Adapter.create(model)
adapter.set_head(labels=["even", "odd"])
data = graft.Dataset(tokenizer, ["some words to learn from " * 8] * rows, [row % 2 for row in range(rows)])
"""


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a new Python, which finds the package where this one does."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )


def test_ctrl_c_stops_a_training_after_the_step_under_way(folder: Path) -> None:
    code = (
        TRAINING
        + """
trainer = graft.Trainer(model, adapter, epoch_count=10000)
try:
    trainer.fit(data, progress=False, callback=lambda metrics: print(metrics.step, flush=True))
except KeyboardInterrupt:
    print("interrupted", trainer.evaluate(data).row_count, flush=True)
"""
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), "64"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    for expected in ("1", "2"):
        assert process.stdout.readline().strip() == expected
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[-1] == "interrupted 64"
    assert len(output.splitlines()) < 10


def test_ctrl_c_stops_an_evaluation_at_once(folder: Path) -> None:
    code = (
        TRAINING
        + """
trainer = graft.Trainer(model, adapter)
try:
    print("evaluating", flush=True)
    trainer.evaluate(data)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), "20000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "evaluating"
    time.sleep(1)  # well within it: the rows take a minute
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output.strip(), errors) == (0, "interrupted", "")


def interrupted_after(line: str, code: str, *arguments: str) -> tuple[str, float]:
    """What code prints that gets Ctrl-C half a second after it printed a line, and how long that
    took it.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == line
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    return output.strip(), time.monotonic() - start


INTERRUPTED = """
import signal, sys, graft
signal.signal(signal.SIGINT, signal.default_int_handler)
session = graft.Session(graft.Model(sys.argv[1]), graft.Tokenizer(sys.argv[1]))
print("begins", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", len(session.embed(["and goes on"])), flush=True)
"""


def test_ctrl_c_stops_a_generation_which_needs_no_callback_for_it() -> None:
    call = "while True: session.generate(['Once upon a time'] * 8, maximum_tokens=400, stop_tokens=[])"
    output, _ = interrupted_after("begins", INTERRUPTED.format(call=call), str(STORIES))
    assert output == "interrupted 1"


def test_ctrl_c_stops_an_embedding_of_many_long_texts_soon(folder: Path) -> None:
    call = "session.embed(['some words to read slowly ' * 100] * 2000)"
    output, seconds = interrupted_after("begins", INTERRUPTED.format(call=call), str(folder))
    assert output == "interrupted 1"
    assert seconds < 15


def test_progress_does_without_a_standard_error(folder: Path) -> None:
    code = (
        "import sys; sys.stderr = None\n"
        + TRAINING
        + "print(graft.Trainer(model, adapter, epoch_count=1).fit(data).step)"
    )
    assert run(code, str(folder), "8").stdout == "1\n"


FIT = TRAINING + "graft.Trainer(model, adapter, epoch_count=25, rows_per_batch=4).fit(data, evaluation=data)"


def test_without_a_terminal_progress_is_a_few_plain_lines_and_standard_output_is_left_alone(folder: Path) -> None:
    result = run(FIT.replace(", evaluation=data", ""), str(folder), "8")
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "\r" not in result.stderr and "\033" not in result.stderr
    lines = result.stderr.splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"step {step}/50" for step in range(5, 55, 5)]
    assert all("loss" in line and "tokens/s" in line for line in lines)


def test_without_a_terminal_evaluations_are_lines_of_their_own(folder: Path) -> None:
    lines = run(FIT, str(folder), "8").stderr.splitlines()
    assert len([line for line in lines if "macro F1" in line]) == 25 and len(lines) == 35


def on_a_terminal(code: str, *arguments: str, columns: int) -> str:
    """What a program writes to a terminal so wide."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        os.close(terminal)
        written = b""
        while part := _read(controller):
            written += part
    os.close(controller)
    assert process.returncode == 0, written
    return written.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux says that nobody holds the terminal any more
        return b""


@pytest.mark.parametrize("columns", [40, 120])
def test_on_a_terminal_the_bar_is_drawn_again_in_its_place(folder: Path, columns: int) -> None:
    written = on_a_terminal(FIT + "; print('next', file=sys.stderr)", str(folder), "8", columns=columns)
    drawn = written.split("\r\n")
    bars = [bar for line in drawn for bar in line.split("\r") if bar.startswith("[")]
    assert len(bars) > 2 and all(len(bar.replace("\033[K", "")) < columns for bar in bars)
    assert "50/50" in bars[-1]
    # A new line begins only after an evaluation, which takes the bar's place, and at the end.
    finished = [line.split("\r")[-1] for line in drawn]
    assert ["on the evaluation set" in line for line in finished[:25]] == [True] * 25
    assert finished[25].startswith("[") and finished[26:] == ["next", ""]


def test_a_standard_error_that_is_closed_does_not_end_a_training(folder: Path) -> None:
    code = (
        TRAINING
        + "import os; read, write = os.pipe(); os.close(read); sys.stderr = os.fdopen(write, 'w')\n"
        + "print(graft.Trainer(model, adapter, epoch_count=3).fit(data, evaluation=data).epoch >= 0)"
    )
    assert run(code, str(folder), "8").stdout == "True\n"


def test_results_do_not_depend_on_numpy_and_do_not_import_it(folder: Path) -> None:
    code = """
import sys
import graft
session = graft.Session(graft.Model(sys.argv[1]), graft.Tokenizer(sys.argv[1]))
before = session.embed(["one", "two"])
assert abs(sum(x * x for x in before[0]) - 1) < 1e-4
assert [states.shape for states in session.hidden_states(["one"])] == [(3, 384)]
assert "numpy" not in sys.modules
import numpy
after = session.embed(["one", "two"])
assert type(before) is type(after) is graft.Matrix and before == after
assert numpy.array_equal(before, after)
"""
    result = run(code, str(folder))
    assert result.returncode == 0, result.stderr


def test_where_numpy_is_not_installed_the_error_says_so(folder: Path) -> None:
    code = """
import sys; sys.modules["numpy"] = None
import graft
vectors = graft.Session(graft.Model(sys.argv[1]), graft.Tokenizer(sys.argv[1])).embed(["one"])
try:
    vectors.numpy()
except graft.GraftError as error:
    print(error.status.name, error, len(vectors.tolist()[0]))
"""
    result = run(code, str(folder))
    assert result.stdout.startswith("UNSUPPORTED numpy() needs numpy: "), result.stderr
    assert result.stdout.endswith("tolist() does without 384\n")


def test_importing_takes_nothing_that_is_not_needed() -> None:
    result = run("import graft, sys; print([name for name in ('numpy', 'json', 'dataclasses', 'pathlib') if name in sys.modules])")
    assert result.stdout.strip() == "[]", result.stderr


def test_a_library_that_is_not_there_is_named() -> None:
    result = run("import graft", GRAFT_LIBRARY="/no/such/library.so")
    assert result.returncode != 0 and "/no/such/library.so" in result.stderr and "ImportError" in result.stderr


def test_a_library_that_lacks_a_function_is_named() -> None:
    result = run("import graft", GRAFT_LIBRARY="libm.so.6")
    assert result.returncode != 0 and "ImportError" in result.stderr
    assert "undefined symbol: graft_version_number: expected a libgraft.so.1" in result.stderr


def test_pip_installs_the_package_with_the_library_inside(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "GRAFT_LIBRARY")}
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ROOT / "bindings" / "python"],
        check=True,
        env=clean,
    )
    code = "import graft, pathlib; folder = pathlib.Path(graft.__file__).parent; print(folder, graft.__version__)"
    result = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path, env=clean)
    folder, version = result.stdout.split()
    assert Path(folder).is_relative_to(tmp_path)
    assert (Path(folder) / "libgraft.so.1").is_file() and (Path(folder) / "py.typed").is_file()
    assert version.count(".") == 2
    metadata = importlib.metadata.Distribution.at(next(Path(folder).parent.glob("libgraft-*.dist-info")))
    assert metadata.metadata["License-Expression"] == "Apache-2.0"
    assert {"Typing :: Typed", "Operating System :: POSIX :: Linux"} <= set(metadata.metadata.get_all("Classifier"))
    assert "Apache License" in (metadata.read_text("licenses/LICENSE") or "")
    assert "PCRE2" in (metadata.read_text("licenses/NOTICE") or "")


EXECUTOR = """
import sys, graft
model, tokenizer = graft.Model(sys.argv[1]), graft.Tokenizer(sys.argv[1])
texts = ["some words to embed " * 9] * 8
session = graft.Session(model, tokenizer, threads=2)
before = [list(row) for row in session.embed(texts)]
name = graft.executor_name()
graft.set_executor(sys.argv[2])
assert [list(row) for row in session.embed(texts)] == before
print(name, graft.executor_name())
"""


def test_the_executor_is_chosen_by_name_and_changes_no_bit(folder: Path) -> None:
    result = run(EXECUTOR, str(folder), "openmp")
    assert result.stdout.split() == ["threads", "openmp"], result.stderr
    result = run(EXECUTOR, str(folder), "threads", GRAFT_EXECUTOR="openmp")
    assert result.stdout.split() == ["openmp", "threads"], result.stderr
    result = run(EXECUTOR, str(folder), "gears")
    assert 'GraftError: the executor is "gears"; expected "threads"' in result.stderr


STEP = """
import resource, sys, graft
path, loss = sys.argv[1:]
model = graft.Model(path, threads=1)
adapter = graft.Adapter.create(model)
adapter.set_head("language_model")
rows = [[100 + 7 * row + token for token in range(32)] for row in range(4)]
batch = graft.Batch.from_tokens(rows)
batch.set_column("token_labels", rows)
if loss == "dpo":
    batch.set_column("group_places", [0, 1, 0, 1])
with graft.Trainer(model, adapter, threads=1, **({"loss": loss} if loss else {})) as trainer:
    trainer.step(batch)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, model.memory)
"""


def test_preferences_need_no_second_copy_of_the_weights(folder: Path) -> None:
    """At its peak a step on pairs of answers takes the memory of one on the same rows as texts."""
    peaks, weights = [], 0
    for loss in ("", "dpo"):
        result = run(STEP, str(folder.parent / "smollm2-135m-instruct.gguf"), loss)
        assert result.returncode == 0, result.stderr
        peak, weights = map(int, result.stdout.split())
        peaks.append(peak)
    assert min(peaks) > weights > 500e6
    assert peaks[1] - peaks[0] < weights / 10
