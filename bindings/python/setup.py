"""Puts the library inside the package: from build/lib of the source tree, which make builds where
it is missing.

The tree is the one around this folder; in a source archive, which holds what builds the library, it
is beside this file.
"""

import re
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent
ROOT = HERE / "source" if (HERE / "source").exists() else HERE.parents[1]
NAME = "libgraft.so.1"
WORK = ROOT / "build" / "python"

#: What builds the library, for the source archive: without the numbers that tests compare with.
SOURCES = ("CHANGELOG.md", "LICENSE", "Linking", "Makefile", "NOTICE", "Package.swift", "README.md", "Sources", "Tests", "include")
LEFT_OUT = shutil.ignore_patterns("Goldens", "seeds", "__pycache__")


def version() -> str:
    header = (ROOT / "include" / "graft.h").read_text()
    return ".".join(re.search(rf"GRAFT_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))


class BuildWithLibrary(build_py):
    def run(self) -> None:
        # A module that no longer exists must not stay in.
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        library = ROOT / "build" / "lib" / NAME
        if not library.exists():
            subprocess.run(["make", "-C", str(ROOT), "dependencies", "library"], check=True)
        shutil.copyfile(library, Path(self.build_lib) / "graft" / NAME)


class PlatformWheel(bdist_wheel):
    """One wheel for all Python versions, but for one platform."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


class ArchiveWithSource(sdist):
    """Holds the library's sources, too."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        for part in SOURCES:
            source, target = ROOT / part, Path(base_dir) / "source" / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=LEFT_OUT)
            else:
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(source, target)


class PlatformDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


WORK.mkdir(parents=True, exist_ok=True)
setup(
    version=version(),
    distclass=PlatformDistribution,
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel, "sdist": ArchiveWithSource},
    options={"build": {"build_base": str(WORK)}, "egg_info": {"egg_base": str(WORK)}},
)
