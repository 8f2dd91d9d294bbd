"""The peer of a rune: the same pipeline for the same board without a sandbox, and what it costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runec.boards import Board
from runec.codegen import generate
from runec.codegen.csyntax import c_string
from runec.container import Rune
from runec.devices.emulator import provider
from runec.files import write_file
from runec.firmware import DeviceRune, FirmwareBuild, build_project, create_project
from runec.pipeline import Pipeline, TensorType
from runec.proc_blocks import SOURCE, sdk_dir
from runec.vm import InputReader, Inputs, output_line
from tools.bench.figures import Figures, RunCost
from tools.bench.machine import counted
from tools.bench.probe import ProbeError
from tools.bench.sandboxed import RUNS

_NATIVE = Path(__file__).resolve().parent / "native"
_OWN = "src/peer"
# Groups of a firmware's sources that the peer shares with it, by the start of their names.
# Kernels of ours; the first of a firmware's begins the group that has them all.
_KERNELS = tuple(
    f"lib/model_tflm/{name}.cc" for name in ("depthwise_conv", "fully_connected", "quantize_tflm")
)
_SHARED = ("lib/hal/", "lib/tflm/", "lib/model_tflm/float_math.c", *_KERNELS)
# As runec compiles blocks, where that says something about the machine's code.
_BLOCK_FLAGS = ("-w", "-fno-strict-aliasing", "-fno-math-errno")
_BEGIN, _END, _FILL, _TAKE, _INFER = (
    f"peer_{name}" for name in ("begin", "end", "fill", "take", "model_infer")
)


def build_peer(pipeline: Pipeline, rune: Rune, board: Board, folder: Path) -> FirmwareBuild:
    """Write and build the peer's firmware in a new folder.

    Raises:
        RunecError: as `create_project` and `build_project`.
    """
    create_project(DeviceRune.of(rune), board, folder)
    code = generate(pipeline)
    own: dict[str, bytes | str] = {
        f"{_OWN}/{path.name}": path.read_bytes() for path in sorted(_NATIVE.iterdir())
    }
    own |= {f"{_OWN}/sdk/{path.name}": path.read_bytes() for path in sorted(sdk_dir().glob("*.h"))}
    own |= {f"{_OWN}/{name}": text for name, text in code.files.items()}
    resources = {
        name: found.data for name, found in pipeline.resources.items() if found.data is not None
    }
    own |= {f"{_OWN}/data/{at}": data for at, data in enumerate(resources.values())}
    own[f"{_OWN}/data.S"] = _data_source(len(resources))
    own[f"{_OWN}/tables.c"] = _tables(rune, list(resources))
    include = [_OWN, f"{_OWN}/sdk", "lib/hal", "lib/runevm/include"]
    sources = [f"{_OWN}/{name}" for name in ("peer.c", "tables.c", "data.S")]
    data = [name for name in own if name.startswith(f"{_OWN}/data/")]
    builtins = ["-include", f"{_OWN}/wasm_builtins.h"]
    groups = [
        _group(sources, include, ["-Wall", "-Wextra"], data),
        _group([f"{_OWN}/glue.c"], include, [*builtins, *_BLOCK_FLAGS], []),
    ]
    for unit in code.units:
        for path in sorted(unit.block.directory.glob("*.[ch]")):
            own[f"{_OWN}/{unit.symbol}/{path.name}"] = path.read_bytes()
        flags = [*builtins, "-include", f"{_OWN}/{unit.header}", *_BLOCK_FLAGS]
        groups.append(_group([f"{_OWN}/{unit.symbol}/{SOURCE}"], include, flags, []))
    plan = json.loads((folder / "build_plan.json").read_text(encoding="utf-8"))
    if rune.require_graph().models:
        mine = next(group for group in plan["groups"] if "src/model_ops.cc" in group["sources"])
        kinds = ["src/model_ops.cc", f"{_OWN}/peer_model.cc"]
        groups.append(_group(kinds, [*mine["include"], *include], mine["flags"], []))
    kept = [group for group in plan["groups"] if group["sources"][0].startswith(_SHARED)]
    plan["groups"] = kept + groups
    own["build_plan.json"] = json.dumps(plan, indent=2)
    for name, content in own.items():
        write_file(folder / name, content, only_if_changed=True)
    return build_project(folder)


def _group(
    sources: list[str], include: list[str], flags: list[str], depends: list[str]
) -> dict[str, Any]:
    return {
        "sources": sources,
        "include": include,
        "flags": flags,
        "depends": depends,
        "shared": False,
    }


def _data_source(count: int) -> str:
    lines = ['    .section .rune, "a"', "    .balign 16"]
    for at in range(count):
        lines += ["    .balign 16", f"    .globl data_{at}, data_{at}_end", f"data_{at}:"]
        lines += [f'    .incbin "{_OWN}/data/{at}"', f"data_{at}_end:"]
    return "\n".join([*lines, "    .word 0", ""])


def _tables(rune: Rune, resources: list[str]) -> str:
    graph = rune.require_graph()
    lines = ['#include "peer.h"', ""]
    lines += [f"extern const uint8_t data_{at}[], data_{at}_end[];" for at in range(len(resources))]
    lines += [
        f"static uint8_t arena_{at}[{model.arena}] __attribute__((aligned(16)));"
        for at, model in enumerate(graph.models.values())
    ]
    lines += ["", "const peer_resource peer_resources[] = {"]
    for at, name in enumerate(resources):
        lines.append(f"    {{{c_string(name.encode())}, data_{at}, data_{at}_end}},")
    lines += ["    {0, 0, 0},", "};", "", "peer_model peer_models[] = {"]
    for at, (name, model) in enumerate(graph.models.items()):
        data = f"data_{resources.index(model.resource)}"
        arena = f"arena_{at}, sizeof arena_{at}"
        lines.append(f"    {{{c_string(name.encode())}, {data}, {arena}, 0}},")
    return "\n".join([*lines, "    {0, 0, 0, 0, 0},", "};", ""])


def measure_peer(rune: Rune, board: Board, built: FirmwareBuild, inputs: Inputs) -> Figures:
    """Run the peer as often as the rune, with the same inputs, and count.

    Raises:
        ProbeError: the emulator does not count.
        RunecError: the emulator fails.
    """
    graph = rune.require_graph()
    provide = provider(graph, InputReader(inputs))
    begins: list[int] = []
    ends: list[int] = []
    taken: list[dict[int, list[tuple[TensorType, bytes]]]] = []
    with counted(board, built.elf) as (_, meter):
        probe = meter.probe

        def begin() -> None:
            begins.append(probe.count())
            taken.append({})
            meter.at(_END, end)

        def end() -> None:
            ends.append(probe.count())
            if len(ends) < RUNS:
                meter.at(_BEGIN, begin)
            else:
                probe.end()

        def fill() -> None:
            capability, buffer, length = (probe.register(number) for number in range(3))
            probe.write(buffer, provide(capability, length))
            probe.give_back()

        def take() -> None:
            output, buffer, length = (probe.register(number) for number in range(3))
            tensors = taken[-1].setdefault(output, [])
            place = next(item for item in graph.outputs.values() if item.id == output)
            kind = graph.tensors[place.inputs[len(tensors)]]
            tensors.append((kind, probe.read(buffer, length)))
            probe.give_back()

        meter.at(_BEGIN, begin)
        meter.instead(_FILL, fill)
        meter.instead(_TAKE, take)
        if graph.models:
            meter.span(_INFER)
        probe.run()
    if len(ends) != RUNS:
        raise ProbeError(f"the peer of {graph.name} ended after {len(ends)} runs")

    def cost(index: int) -> RunCost:
        model = meter.inside(_INFER, begins[index], ends[index])
        return RunCost(blocks=ends[index] - begins[index] - model, model=model, host=0)

    return Figures(
        ready=begins[0],
        first=cost(0),
        steady=cost(1),
        flash_bytes=built.flash_bytes,
        ram_bytes=built.ram_bytes,
        results=tuple(output_line(list(outputs.items())) for outputs in taken),
    )
