"""The engines for devices, compiled for the host."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jinja2
import msgspec
import pytest
import wasmtime

from runec.backends import SourceGroup, aot, tflm, wasm3
from runec.boards import Board
from runec.data import data_dir
from runec.firmware.render import _C_FLAGS as C_FLAGS
from runec.firmware.render import _CXX_FLAGS as CXX_FLAGS
from runec.firmware.render import _FLAGS as FLAGS
from tests.backends.board_runs import LINKER_SCRIPT, BoardProgram, harness_board
from tests.common import made_once

HERE = Path(__file__).parent


def compile_all(commands: list[list[str]], folder: Path) -> None:
    def one(command: list[str]) -> None:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(one, commands))


def lay_out(groups: tuple[SourceGroup, ...], folder: Path) -> None:
    """Put the files of source groups where a project has them."""
    for group in groups:
        for name, origin in group.files.items():
            target = folder / "lib" / group.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)
    runevm = data_dir("firmware_templates") / "runevm"
    shutil.copytree(runevm / "include", folder / "lib/runevm/include", dirs_exist_ok=True)


@dataclass(frozen=True)
class Said:
    error: int
    result: int
    detail: str


RunEngine = Callable[..., list[Said]]


@pytest.fixture(scope="session")
def engine_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "engine", _build_engine) / "harness"


def _build_engine(folder: Path) -> None:
    groups = wasm3.source_groups()
    lay_out(groups, folder)
    common = ["cc", "-O2", "-g", "-fsanitize=address", "-ffp-contract=off", "-DNDEBUG"]
    common += ["-Wno-error", "-std=gnu11"]
    commands = []
    for group in groups:
        include = [f"-I{name}" for name in group.include]
        commands += [
            [*common, *group.flags, *include, "-c", f"lib/{group.folder}/{name}", "-o", f"{name}.o"]
            for name in group.sources
        ]
    own = [
        *common,
        "-Ilib/engine_wasm3",
        "-Ilib/runevm/include",
        "-c",
        str(HERE / "engine_harness.c"),
    ]
    commands.append([*own, "-o", "harness.o"])
    compile_all(commands, folder)
    objects = sorted(path.name for path in folder.glob("*.o"))
    compile_all([["cc", "-fsanitize=address", *objects, "-lm", "-o", "harness"]], folder)


@pytest.fixture(scope="session")
def aot_objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what every compiled module is linked with."""
    return made_once(tmp_path_factory, "aot", _build_aot)


AOT_FLAGS = (
    *("-std=gnu11", "-O1", "-g", "-ffp-contract=off"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover"),
    *("-Ilib/engine_aot", "-Ilib/runevm/include"),
)


def _build_aot(folder: Path) -> None:
    lay_out(aot.AOT.source_groups(), folder)
    strict = ["cc", *AOT_FLAGS, "-Wall", "-Wextra", "-Werror", "-c"]
    harness = [*strict, "-DHARNESS_AOT", str(HERE / "engine_harness.c"), "-o", "harness.o"]
    engine = [*strict, "lib/engine_aot/engine_aot.c", "-o", "engine.o"]
    compile_all([harness, engine], folder)


@pytest.fixture(params=["wasm3", "aot"])
def run_engine(request: pytest.FixtureRequest) -> RunEngine:
    """Run commands on a module given as WebAssembly text, in each engine; one answer for each."""
    run: RunEngine = request.getfixturevalue(f"run_{request.param}")
    return run


@pytest.fixture
def run_wasm3(engine_program: Path, tmp_path: Path) -> RunEngine:
    """Run commands on a module in wasm3."""

    def run(
        text: str,
        *commands: str,
        memory: int = 65536,
        pool: int = 128 * 1024,
        c_stack: int = 256 * 1024,
    ) -> list[Said]:
        path = tmp_path / "module.wasm"
        path.write_bytes(bytes(wasmtime.wat2wasm(text)))
        return _answers([engine_program, path, str(memory), str(pool), str(c_stack), *commands])

    return run


@pytest.fixture
def run_aot(aot_objects: Path, tmp_path: Path) -> RunEngine:
    """Compile a module, and run commands on it."""

    def run(
        text: str, *commands: str, memory: int = 65536, pool: int = 0, c_stack: int = 256 * 1024
    ) -> list[Said]:
        path = tmp_path / "module.wasm"
        path.write_bytes(bytes(wasmtime.wat2wasm(text)))
        source, program = tmp_path / "rune_code.c", tmp_path / "program"
        source.write_text(aot.compile_module(path.read_bytes(), memory))
        objects = ["harness.o", "engine.o", "-lm", "-o", str(program)]
        flags = [*AOT_FLAGS, *aot.AOT.code_flags, "-O1"]
        compile_all([["cc", *flags, str(source), *objects]], aot_objects)
        return _answers([program, path, str(memory), str(pool), str(c_stack), *commands])

    return run


def _answers(command: list[str | Path]) -> list[Said]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={"ASAN_OPTIONS": "detect_leaks=0"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = [line.split(" ", 2) for line in done.stdout.splitlines()]
    return [Said(int(error), int(result), detail) for error, result, detail in answers]


RunModel = Callable[..., list[str]]
# The engine's operator delete does nothing, so nothing is ever freed.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0"}


@pytest.fixture(scope="session")
def model_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "model", _build_model) / "harness"


# Kernels that define the same names as others in the same namespace.
_ALONE = ("logistic.cc", "tanh.cc")


def _bundles(group: SourceGroup) -> dict[str, tuple[str, ...]]:
    """Bundle sources of the library, most of whose compile time is the headers that all include."""
    bundles: dict[str, tuple[str, ...]] = {}
    for name in group.sources:
        file = Path(name).name
        if group.component is None or name.endswith(".c") or file in _ALONE:
            bundle = Path(name).stem
        else:
            bundle = "kernels" if "/kernels/" in name else "core"
        bundles[bundle] = (*bundles.get(bundle, ()), name)
    return bundles


def _kernel_commands(
    folder: Path, c: list[str], c_plus_plus: list[str], strict: list[str]
) -> list[list[str]]:
    """Lay out the engine with all kernels; return what compiles it, `strict` where it is ours."""
    groups = tflm.source_groups(tflm.KERNELS)
    lay_out(groups, folder)
    template = data_dir("firmware_templates") / "project/model_ops.cc.j2"
    operators = jinja2.Template(template.read_text()).render(operators=sorted(tflm.KERNELS))
    (folder / "model_ops.cc").write_text(operators)
    commands = []
    for number, group in enumerate(groups):
        include = [f"-I{path}" for path in group.include]
        own = strict if group.component is None else []
        for bundle, sources in _bundles(group).items():
            suffix = Path(sources[0]).suffix
            compiler = c_plus_plus if suffix == ".cc" else c
            source = folder / f"{number}_{group.folder}_{bundle}{suffix}"
            source.write_text(
                "".join(f'#include "lib/{group.folder}/{name}"\n' for name in sources)
            )
            flags = [*compiler, *group.flags, *own, *include]
            commands.append([*flags, "-c", source.name, "-o", f"{source.name}.o"])
    own = [*c_plus_plus, *tflm.interface_flags(), "-Ilib/model_tflm", "-Ilib/runevm/include"]
    commands.append([*own, *strict, "-c", "model_ops.cc", "-o", "model_ops.o"])
    commands.append([*own, *strict, "-c", "harness.cc", "-o", "harness.o"])
    return commands


def _build_model(folder: Path) -> None:
    common = ["-ffp-contract=off", "-DNDEBUG"]
    common += ["-ffunction-sections", "-fsanitize=address", "-O0"]
    strict = ["-fsanitize=undefined", "-fno-sanitize-recover", "-Werror"]
    c_plus_plus = ["g++", *common, "-std=c++11", "-fno-exceptions", "-fno-rtti"]
    c_plus_plus += ["-fno-threadsafe-statics"]
    shutil.copyfile(HERE / "model_harness.cc", folder / "harness.cc")
    commands = _kernel_commands(folder, ["cc", *common, "-std=gnu11"], c_plus_plus, strict)
    compile_all(commands, folder)
    objects = sorted(path.name for path in folder.glob("*.o"))
    sanitizers = "-fsanitize=address,undefined"
    compile_all(
        [["g++", sanitizers, *objects, "-Wl,--gc-sections", "-lm", "-o", "harness"]], folder
    )


# The same chip with its FPU and without; both are compiled as firmware is.
FLOAT_UNITS = {
    "hard": ("-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "soft": ("-mfloat-abi=soft",),
}


@pytest.fixture(scope="session")
def on_float_unit(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], BoardProgram]:
    """Return the harness for an emulated board, with its FPU (`hard`) or without (`soft`)."""

    def program(unit: str) -> BoardProgram:
        board = harness_board()
        assert set(FLOAT_UNITS["hard"]) <= set(board.toolchain.flags)
        machine = (*(flag for flag in board.toolchain.flags if flag not in FLOAT_UNITS["hard"]),)
        toolchain = msgspec.structs.replace(board.toolchain, flags=(*machine, *FLOAT_UNITS[unit]))
        board = msgspec.structs.replace(board, toolchain=toolchain)
        folder = made_once(
            tmp_path_factory, f"board-{unit}", lambda folder: _build_for_board(folder, board)
        )
        return BoardProgram(folder / "harness", board)

    return program


def _build_for_board(folder: Path, board: Board) -> None:
    prefix = board.toolchain.prefix
    c = [f"{prefix}gcc", *board.toolchain.flags, *FLAGS, *C_FLAGS]
    c_plus_plus = [f"{prefix}g++", *board.toolchain.flags, *FLAGS, *CXX_FLAGS]
    shutil.copyfile(HERE / "board_harness.cc", folder / "harness.cc")
    (folder / "linker.ld").write_text(LINKER_SCRIPT)
    compile_all(_kernel_commands(folder, c, c_plus_plus, []), folder)
    objects = sorted(path.name for path in folder.glob("*.o"))
    link = [f"{prefix}gcc", *board.toolchain.flags, *board.toolchain.link_flags, "-nostartfiles"]
    link += ["-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-T", "linker.ld"]
    compile_all([[*link, *objects, "-lm", "-o", "harness"]], folder)


@pytest.fixture
def run_model(model_program: Path) -> RunModel:
    """Open a model and invoke it on inputs; the lines of the harness."""

    def run(
        model: Path,
        tensors: tuple[str, str],
        *inputs: bytes | Sequence[bytes],
        arena: int = 64 * 1024,
        declared: int | None = None,
        **environment: str,
    ) -> list[str]:
        """`inputs`: for each invocation the bytes of an input, or of several."""
        sizes = [str(arena), str(arena if declared is None else declared)]
        given = [
            ",".join(part.hex() for part in ([data] if isinstance(data, bytes) else data))
            for data in inputs
        ]
        done = subprocess.run(
            [model_program, model, *sizes, *tensors, *given],
            capture_output=True,
            text=True,
            check=False,
            env={**environment, **SANITIZERS},
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run
