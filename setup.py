"""What is compiled, and that a program is built beside it: what pyproject.toml cannot say.

The shim is linked without a C library, so that it runs in any root directory, with few syscalls
(tracer/notify/shim.c says why), and therefore needs flags of its own.
"""

import os
import platform
import shutil
import sys
import sysconfig
from glob import glob
from pathlib import Path
from typing import ClassVar

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILE = {
    "define_macros": [("_GNU_SOURCE", "1")],
    "extra_compile_args": ["-std=gnu11", "-O2", "-fvisibility=hidden", "-Wall", "-Wextra"],
}
HEADERS = sorted(glob("tracer/native/*.h") + glob("tracer/notify/*.h"))
LOOK = "tracer/native/_look.c"
SCAN = "tracer/native/_scan.c"
BPF = "imptrace.tracer._bpf"
BPF_SOURCES = tuple(
    f"tracer/native/{name}.c" for name in ("calls", "py_lists", "start", "variables", "witness")
)
BPF_PROGRAMS = "tracer/bpf/machine.bpf.c"
BPF_OBJECTS = {"object_casts": ["-DCASTS"], "object_plain": []}
"""The programs, for newer and for older kernels; tracer/bpf/load.c takes the first that loads."""
BPF_TARGETS = {"x86_64": "x86", "aarch64": "arm64"}
SHIM = "imptrace-shim"
SHIM_SOURCES = ("tracer/notify/shim.c", "tracer/native/filter.c", "tracer/native/calls.c")
SHIM_FLAGS = (
    "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-ffreestanding", "-fno-pie",
    # Both need a C library to have set things up before the first function is called.
    "-fno-stack-protector", "-fcf-protection=none",
)  # fmt: skip
SHIM_LINK_FLAGS = ("-nostdlib", "-nostartfiles", "-static", "-no-pie", "-Wl,--build-id=none")


class BuildExtensionsAndShim(build_ext):
    """Builds the shim into the directory of the extension."""

    user_options: ClassVar[list[tuple[str, str | None, str]]] = build_ext.user_options

    def run(self) -> None:
        """Say in one line what is missing, before a compiler that is not there is called."""
        compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
        if shutil.which(compiler) is None and shutil.which("cc") is None:
            sys.exit(f"imptrace needs a C compiler, and {compiler} is not here: install gcc")
        header = os.path.join(sysconfig.get_path("include"), "Python.h")
        if not os.path.exists(header):
            sys.exit(f"imptrace needs the headers of Python ({header}): install python3-dev")
        super().run()

    def build_extension(self, ext: Extension) -> None:
        """Build one extension, and the shim with it."""
        if ext.name == BPF:
            self._build_bpf(ext)
            return
        super().build_extension(ext)
        self._build_shim(Path(self.get_ext_fullpath(ext.name)).parent)

    def get_outputs(self) -> list[str]:
        """Name what is built, for whoever packs or removes it."""
        return [*super().get_outputs(), *self._shims()]

    def get_output_mapping(self) -> dict[str, str]:
        """Name what an editable installation builds beside the sources."""
        mapping = super().get_output_mapping()
        extras = {
            str(Path(built).with_name(SHIM)): str(Path(source).with_name(SHIM))
            for built, source in mapping.items()
        }
        return {**mapping, **extras}

    def copy_extensions_to_source(self) -> None:
        """Put the shim beside the sources too, where an editable installation looks."""
        super().copy_extensions_to_source()
        for built, source in self.get_output_mapping().items():
            if built.endswith(SHIM):
                self.copy_file(built, source)

    def _build_bpf(self, ext: Extension) -> None:
        """Compile the kernel's programs into a header, and the extension that loads them.

        Without clang, or libbpf's headers, there is no such recorder; all else is as ever.
        """
        ext.optional = True
        headers = Path(self.build_temp) / "bpf"
        headers.mkdir(parents=True, exist_ok=True)
        try:
            text = "".join(self._bpf_object(headers, *each) for each in BPF_OBJECTS.items())
        except Exception as error:  # noqa: BLE001 (distutils has a class of its own for each cause)
            self.warn(f"no bpf recorder: {error}; it needs clang and libbpf")
            return
        (headers / "machine_objects.h").write_text(text, encoding="ascii")
        ext.include_dirs = [*ext.include_dirs, str(headers)]
        super().build_extension(ext)

    def _bpf_object(self, directory: Path, name: str, flags: list[str]) -> str:
        compiled = directory / f"{name}.bpf.o"
        self.spawn([*_clang(), *flags, "-o", str(compiled), "-c", BPF_PROGRAMS])
        values = ",".join(map(str, compiled.read_bytes()))
        return (
            f"static const unsigned char {name}[]\n\t__attribute__((aligned(8))) = {{{values}}};\n"
        )

    def _shims(self) -> list[str]:
        return [
            str(Path(self.get_ext_fullpath(extension.name)).with_name(SHIM))
            for extension in self.extensions
        ]

    def _build_shim(self, directory: Path) -> None:
        flags = [flag for flag in SHIM_FLAGS if self._compiler_takes(flag)]
        objects = self.compiler.compile(
            list(SHIM_SOURCES),
            output_dir=str(Path(self.build_temp) / "shim"),
            extra_postargs=flags,
        )
        command = [*self.compiler.compiler_so[:1], *SHIM_LINK_FLAGS, "-o", str(directory / SHIM)]
        self.spawn([*command, *objects])

    def _compiler_takes(self, flag: str) -> bool:
        """Tell whether it does: -fcf-protection is for x86 only."""
        return "cf-protection" not in flag or platform.machine() in ("x86_64", "i686")


def _clang() -> list[str]:
    target = BPF_TARGETS[platform.machine()]
    # Debian keeps what depends on the architecture apart.
    apart = sysconfig.get_config_var("MULTIARCH")
    return [
        "clang", "-O2", "-g", "-mcpu=v3", "-target", "bpf", f"-D__TARGET_ARCH_{target}",
        "-Wall", "-Wextra", "-Wno-unused-parameter",
        *([f"-I/usr/include/{apart}"] if apart else []),
        *os.environ.get("BPF_CFLAGS", "").split(),
    ]  # fmt: skip


def _extensions() -> list[Extension]:
    native = {"tracer/_native.c", *glob("tracer/native/*.c"), *glob("tracer/notify/*.c")}
    apart = {LOOK, SCAN, SHIM_SOURCES[0]}
    return [
        Extension(
            "imptrace.tracer._native",
            sorted(native - apart),
            depends=[*HEADERS, SHIM_SOURCES[0]],
            **COMPILE,
        ),
        Extension("imptrace.tracer._look", [LOOK], **COMPILE),
        Extension("imptrace.tracer._scan", [SCAN], **COMPILE),
        Extension(
            BPF,
            ["tracer/_bpf.c", *BPF_SOURCES, *sorted(set(glob("tracer/bpf/*.c")) - {BPF_PROGRAMS})],
            depends=[*HEADERS, *sorted(glob("tracer/bpf/*.h")), BPF_PROGRAMS],
            libraries=["bpf"],
            **COMPILE,
        ),
    ]


setup(ext_modules=_extensions(), cmdclass={"build_ext": BuildExtensionsAndShim})
