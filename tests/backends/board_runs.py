"""Runs models of a single operator and the firmware's float functions on an emulated board."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runec.boards import Board, load_board
from tests.backends.operator_models import Array, Tensor
from tests.backends.operator_runs import ARENA_BYTES, Outcome, Trial

# In the order of board_harness.cc.
FUNCTIONS = ("expf", "logf", "sinf", "cosf", "tanhf", "sqrtf")
_MODEL, _FUNCTION = 0, 1
LINKER_SCRIPT = """
ENTRY(_start)
SECTIONS
{
    . = 0;
    .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) *(.ARM.ex*) . = ALIGN(4); }
    harness_data_load = .;
    . = 0x20000000;
    .data : AT(harness_data_load)
    {
        harness_data_start = .; *(.data*) . = ALIGN(4); harness_data_end = .;
    }
    .bss (NOLOAD) : { harness_bss_start = .; *(.bss*) *(COMMON) . = ALIGN(8); harness_bss_end = .; }
    harness_stack_top = 0x20400000;
    /DISCARD/ : { *(.init_array*) *(.fini_array*) *(.eh_frame*) }
}
"""


@dataclass(frozen=True)
class BoardProgram:
    """The harness, compiled for a board with QEMU's `mps2-an386` as its emulator."""

    elf: Path
    board: Board

    def models(self, trials: Sequence[Trial], folder: Path) -> list[Outcome]:
        """Run trials; one that the engine refuses has no outputs."""
        data = self._run(b"".join(map(_request, trials)), folder)
        outcomes, at = [], 0
        for trial in trials:
            opened, invoked = struct.unpack_from("<2i", data, at)
            at += 8
            outputs = []
            for tensor in trial.model.outputs:
                size = _bytes(tensor)
                outputs.append(data[at : at + size])
                at += -(-size // 4) * 4
            failed = opened != 0 or invoked != 0
            outcomes.append(
                Outcome(None, f"{opened}, {invoked}") if failed else Outcome(tuple(outputs))
            )
        assert at == len(data)
        return outcomes

    def function(self, name: str, arguments: Array, folder: Path) -> Array:
        """Compute a function of floats."""
        request = b""
        for part in np.array_split(arguments, -(-arguments.size // 16_000)):
            request += struct.pack("<3I", _FUNCTION, part.size, FUNCTIONS.index(name))
            request += part.astype("<f4").tobytes()
        results: Array = np.frombuffer(self._run(request, folder), "<f4")
        assert results.size == arguments.size
        return results

    def _run(self, requests: bytes, folder: Path) -> bytes:
        (folder / "requests").write_bytes(requests)
        emulator = self.board.emulator
        assert emulator is not None
        command = [emulator.program, "-M", emulator.target, "-nographic", "-monitor", "none"]
        command += ["-serial", "none", "-semihosting-config", "enable=on,target=native"]
        subprocess.run([*command, "-kernel", self.elf], check=True, cwd=folder, timeout=600)
        return (folder / "answers").read_bytes()


def _bytes(tensor: Tensor) -> int:
    return int(tensor.harness_name.partition(":")[2])


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _request(trial: Trial) -> bytes:
    tensors = [*trial.model.given, *trial.model.outputs]
    head = [_MODEL, len(tensors), len(trial.data), ARENA_BYTES]
    for tensor in tensors:
        head += map(int, tensor.harness_name.split(":"))
    head.append(len(trial.model.given))
    data = _padded(trial.data) + b"".join(_padded(each.tobytes()) for each in trial.inputs)
    return struct.pack(f"<{len(head)}I", *head) + data


def harness_board() -> Board:
    """Return the board that the harness is for."""
    return load_board("mps2_an386")
