#!/usr/bin/env python3
"""Runs Graft and its peers side by side and prints the table of README.md as Markdown.

    python Benchmarks/run.py [--only TEXT] [--record FILE]
    python Benchmarks/run.py --quality [--only TEXT] [--seeds N ...] [--epochs N] [--rows N]

Needs the packages of Benchmarks/requirements.txt, the library built, and an idle machine. Every
ratio is peer / Graft of the same run, in which the sides take turns.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median

from settings import MODELS, ROOT, THREADS
from table import Row, Run, all_rows, cost_runs, dropout_runs, learning_rows, quality_rows

HERE = Path(__file__).resolve().parent
LIBRARY = ROOT / "build" / "lib" / "libgraft.so.1"
STARTS = 7
PACKAGES = ("torch", "transformers", "peft", "tokenizers", "onnxruntime", "llama-cpp-python", "ctranslate2")
# Rows × outputs × inputs of products with a frozen weight.
PRODUCT_GOALS = {"2048×768×768": 0.85, "2048×3072×768": 0.85, "16×768×768": 0.7}


def command_of(module: str, arguments: tuple[str, ...], python: str = sys.executable) -> dict:
    """How subprocess starts it."""
    path = os.pathsep.join(filter(None, [str(ROOT / "bindings" / "python"), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(THREADS)}
    return {"args": [python, "-m", module, *arguments], "cwd": HERE, "env": environment, "text": True}


def start(module: str, arguments: tuple[str, ...], python: str = sys.executable) -> subprocess.CompletedProcess:
    """One process; standard error is shown only when it fails."""
    command = command_of(module, arguments, python)
    done = subprocess.run(**command, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(command['args'])}\n{done.stderr}")
    return done


def lines_of(run: Run) -> list[dict]:
    """The JSON lines of one run."""
    lines = start(run.module, run.arguments, run.python).stdout.splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


class Side:
    """A process that computes when it is its turn."""

    def __init__(self, run: Run):
        command = command_of(run.module, run.arguments, run.python)
        command["env"]["GRAFT_BENCH_TURNS"] = "1"
        self.lines: list[dict] = []
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(**command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)

    def runs_on(self) -> bool:
        """Waits until it asks for its next turn: true, or ends."""
        for line in self.process.stdout:
            if line == "turn\n":
                return True
            if line.startswith("{"):
                self.lines.append(json.loads(line))
        if self.process.wait():
            self.errors.seek(0)
            sys.exit(f"{' '.join(self.process.args)}\n{self.errors.read()}")
        return False

    def takes_turn(self) -> bool:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.runs_on()


def in_turns(runs: list[Run]) -> list[list[dict]]:
    """The JSON lines of each; they are loaded one after the other, and no two compute at once."""
    sides: list[Side] = []
    waiting = []
    for run in runs:
        sides.append(Side(run))
        if sides[-1].runs_on():
            waiting.append(sides[-1])
    while waiting:
        waiting = [side for side in waiting if side.takes_turn()]
    return [side.lines for side in sides]


def process_times(runs: list[Run]) -> list[list[dict]]:
    """Milliseconds from the start of each process to its end, the medians; they alternate."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(STARTS):
        for run, own in zip(runs, times):
            begin = time.perf_counter()
            start(run.module, run.arguments, run.python)
            own.append((time.perf_counter() - begin) * 1e3)
    return [[{"process_ms": round(median(own), 1)}] for own in times]


class Figures:
    """Results by run. Rows with one run of Graft are measured together, against all their peers."""

    def __init__(self, rows: list[Row], record: Path | None):
        self.rows = rows
        self.record = record
        self.lines: dict[Run, list[dict]] = {}

    def measure(self, row: Row) -> None:
        if row.ours in self.lines:
            return
        peers = (peer for other in self.rows if other.ours == row.ours for peer in other.peers)
        runs = list(dict.fromkeys((row.ours, *peers)))
        lines = (process_times if row.figure == "process_ms" else in_turns)(runs)
        self.lines |= zip(runs, lines)
        if self.record:
            with self.record.open("a") as file:
                for run, own in zip(runs, lines):
                    file.writelines(json.dumps(line | {"run": run.module}) + "\n" for line in own)

    def value(self, run: Run, row: Row) -> float:
        return next(
            line[row.figure]
            for line in self.lines[run]
            if all(line.get(key) == value for key, value in row.where)
        )


def with_unit(value: float, figure: str) -> str:
    match figure:
        case "peak_mb":
            return f"{value:.0f} MB"
        case "ms_per_mb":
            return f"{1e3 / value:.1f} MB/s"
        case _:
            return f"{value:.1f} ms"


def markdown(row: Row, figures: Figures) -> tuple[str, bool]:
    """The row as Markdown, and whether it falls short of its goal. A goal of 0 is a figure shown
    for information.
    """
    ours = figures.value(row.ours, row)
    best = min(row.peers, key=lambda run: figures.value(run, row))
    theirs = figures.value(best, row)
    ratio = theirs / ours
    goal = f"≥ {row.goal:g}" if row.goal else "–"
    short = ratio < row.goal
    cells = [row.work, best.side, with_unit(theirs, row.figure), with_unit(ours, row.figure), f"{ratio:.2f}", goal]
    return f"| {' | '.join(cells)} | {'**no**' if short else 'yes' if row.goal else '–'} |", short


def opening_time() -> float:
    """Milliseconds that a fresh process takes to open the library, the least of several."""
    program = (
        "import ctypes, sys, time; t = time.perf_counter(); ctypes.CDLL(sys.argv[1]); "
        "print((time.perf_counter() - t) * 1e3)"
    )
    command = [sys.executable, "-c", program, str(LIBRARY)]
    return min(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(STARTS))


def products() -> list[tuple[str, float]]:
    """products.c for all the threads: the rows of PRODUCT_GOALS, each with its share of the
    instructions' limit.
    """
    kernels = ROOT / "Sources" / "CGraftKernels"
    flags = ["-O3", "-std=c11", "-fno-math-errno", "-ffp-contract=off", f"-I{kernels / 'include'}"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["clang", *flags, "-fblocks", "-c", *kernels.glob("*.c")], check=True, cwd=folder)
        objects = [path.name for path in Path(folder).glob("*.o")]
        program = [HERE / "products.c", *objects, "-o", "products", "-lm"]
        subprocess.run(["clang", *flags, *program], check=True, cwd=folder)
        done = subprocess.run([f"{folder}/products", str(THREADS)], check=True, capture_output=True, text=True)
    found = re.findall(r"forward +(\w+) +(\d+) x +(\d+) x +(\d+) .*? ([0-9.]+) % of", done.stdout)
    return [(f"{m}×{n}×{k}, {precision}", float(share) / 100) for precision, m, n, k, share in found]


def allocations() -> int:
    """What the library asks of the system's memory in training steps after the first, as
    Tests/Safety counts it.
    """
    tests = ROOT / "Tests"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "allocations")
        link = [f"-L{LIBRARY.parent}", "-lgraft", f"-Wl,-rpath,{LIBRARY.parent}"]
        source = [f"-I{ROOT / 'include'}", tests / "Safety" / "allocations.c", "-o", program, *link]
        subprocess.run(["cc", "-std=c11", "-O1", *source], check=True)
        done = subprocess.run([program, tests / "Goldens"], capture_output=True, text=True)
    return int(re.search(r"in training steps after the first: (\d+)", done.stdout)[1])


def own_limits() -> None:
    """The rows that have no peer."""
    print("\n| limit | found | goal | met |\n| --- | --- | --- | --- |")
    for work, run in dropout_runs():
        cost = lines_of(run)[0]["cost"]
        print(f"| cost of dropout 0.1, {work} | {cost:+.1%} | ≤ 5 % | {met(cost <= 0.05)} |")
    for work, run, most in cost_runs():
        cost = lines_of(run)[0]["ratio"] - 1
        print(f"| cost of {work}, decode, smollm2-135m | {cost:+.1%} | ≤ {most:.0%} | {met(cost <= most)} |")
    for precision in ("float32", "bfloat16"):
        ratio = json.loads(start("ours.loading", ("--precision", precision)).stdout)["ratio"]
        print(f"| loading bert-base, {precision}: memory / weights | {ratio:.2f} | ≤ 1.2 | {met(ratio <= 1.2)} |")
    for precision, goal in (("float32", 0.8), ("bfloat16", 0.0)):
        line = json.loads(start("ours.decode", ("--precision", precision)).stdout)
        work = f"decode, smollm2-135m, batch 1, {precision}: {1e3 / line['median_ms']:.0f} tokens/s"
        share = f"{line['share']:.0%} of {line['gigabytes_per_second']:.0f} GB/s"
        print(f"| {work} | {share} | {f'≥ {goal:.0%}' if goal else '–'} | {met(line['share'] >= goal)} |")
    for work, share in products():
        if goal := PRODUCT_GOALS.get(work.split(",")[0]):
            print(f"| product {work} | {share:.0%} of the instructions' limit | ≥ {goal:.0%} | {met(share >= goal)} |")
    count = allocations()
    print(f"| allocations in training steps after the first | {count} | 0 | {met(count == 0)} |")
    size, opening = LIBRARY.stat().st_size / 2**20, opening_time()
    print(f"| libgraft.so | {size:.2f} MB | ≤ 8.5 MB | {met(size <= 8.5)} |")
    print(f"| libgraft.so opens in | {opening:.2f} ms | ≤ 5 ms | {met(opening <= 5)} |")


def quality_cells(run: Run | None) -> list[str]:
    """Test accuracies in percent, one for each seed, their mean, and the mean of the seconds of
    training.
    """
    if run is None:
        return ["–"] * 3
    lines = lines_of(run)
    accuracies = [100 * line["test_accuracy"] for line in lines]
    seconds = mean(line["train_seconds"] for line in lines)
    return [", ".join(f"{accuracy:.1f}" for accuracy in accuracies), f"{mean(accuracies):.1f}", f"{seconds:.0f} s"]


def quality(options: argparse.Namespace) -> None:
    """The table of what adapters learn: both sides, and ours through the C interface alone."""
    recipe = ["--seeds", *map(str, options.seeds), "--epochs", str(options.epochs)]
    if options.rows:
        recipe += ["--rows", str(options.rows)]
    heads = ["data", "method", "peer", "", "mean", "training", "Graft", "mean", "training", "in C", "mean", "training"]
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for row in quality_rows(tuple(recipe)):
        if options.only in f"{row.data} {row.method}":
            cells = [row.data, row.method, row.peer.side]
            for run in (row.peer, row.ours, row.in_c):
                cells += quality_cells(run)
            print(f"| {' | '.join(cells)} |", flush=True)


def learning(options: argparse.Namespace) -> None:
    """The table of recipes that are the same on both sides, by each seed's figures."""
    print("\n| work | peer | | mean | Graft | mean | goal | met |\n|" + " --- |" * 8)
    lines: dict[Run, list[dict]] = {}
    for row in learning_rows(("--seeds", *map(str, options.seeds))):
        if options.only not in row.work:
            continue
        cells, means = [], []
        for run in (row.ours, row.peer):
            if run not in lines:
                lines[run] = lines_of(run)
        for run, figure in ((row.peer, row.peer_figure or row.figure), (row.ours, row.figure)):
            found = [line[figure] for line in lines[run]]
            means.append(mean(found))
            cells += [", ".join(f"{value:.4f}" for value in found), f"{means[-1]:.4f}"]
        print(f"| {' | '.join([row.work, row.peer.side, *cells, row.goal])} | {met(row.met(*means))} |", flush=True)


def met(condition: bool) -> str:
    return "yes" if condition else "**no**"


def processor() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].split(":", 1)[1].strip() if names else platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows whose name contains this text; limits: those without a peer")
    parser.add_argument("--record", type=Path, help="appends every JSON line to this file")
    parser.add_argument("--quality", action="store_true", help="what adapters learn, instead of how fast")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of --quality")
    parser.add_argument("--epochs", type=int, default=5, help="of --quality")
    parser.add_argument("--rows", type=int, help="training rows of --quality, where not all")
    options = parser.parse_args()

    start("peers.make_models", ())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"{processor()}, {THREADS} threads; {packages}; load before: {os.getloadavg()[0]:.1f}\n")
    if options.quality:
        quality(options)
        return learning(options)
    start("peers.export_onnx", ())
    print("| work | peer | peer's figure | Graft | ratio | goal | met |\n| --- | --- | --- | --- | --- | --- | --- |")
    rows = [row for row in all_rows(str(MODELS)) if options.only in row.work]
    figures, short = Figures(rows, options.record), 0
    for row in rows:
        figures.measure(row)
        line, falls_short = markdown(row, figures)
        short += falls_short
        print(line, flush=True)
    if options.only in ("", "limits"):
        own_limits()
    print(f"\n{short} goals against peers are not met." if short else "\nEvery goal against a peer is met.")


if __name__ == "__main__":
    main()
