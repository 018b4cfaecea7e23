"""Compiles the C programs of this folder against the library that make built."""

import subprocess
from pathlib import Path

import settings

LIBRARY = settings.ROOT / "build" / "lib"


def compile_program(name: str, folder: str) -> Path:
    program = Path(folder, name)
    source = Path(__file__).with_name(f"{name}.c")
    flags = ["-std=gnu11", "-O3", "-march=native", "-Wall", "-Wextra", "-Werror", f"-I{settings.ROOT / 'include'}"]
    link = [f"-L{LIBRARY}", "-lgraft", f"-Wl,-rpath,{LIBRARY}", "-lpthread"]
    subprocess.run(["cc", *flags, source, "-o", program, *link], check=True)
    return program


def output(*command) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
