"""Puts the library inside the package: from build/lib of the source tree, which make builds where it is missing."""

import re
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parents[2]
NAME = "libgraft.so.1"
WORK = ROOT / "build" / "python"


def version() -> str:
    header = (ROOT / "include" / "graft.h").read_text()
    return ".".join(re.search(rf"GRAFT_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))


class BuildWithLibrary(build_py):
    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)  # a module that no longer exists must not stay in
        super().run()
        library = ROOT / "build" / "lib" / NAME
        if not library.exists():
            subprocess.run(["make", "-C", str(ROOT), "dependencies", "library"], check=True)
        shutil.copyfile(library, Path(self.build_lib) / "graft" / NAME)


class PlatformWheel(bdist_wheel):
    """One wheel for all Python versions, but for one platform."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


class NoSourceArchive(sdist):
    """The library's sources and header are outside this folder, so an archive of it could not be built."""

    def run(self) -> None:
        raise SystemExit("the package is built from Graft's whole source tree: make a wheel, with make wheel")


class PlatformDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


WORK.mkdir(parents=True, exist_ok=True)
setup(
    version=version(),
    distclass=PlatformDistribution,
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel, "sdist": NoSourceArchive},
    options={"build": {"build_base": str(WORK)}, "egg_info": {"egg_base": str(WORK)}},
)
