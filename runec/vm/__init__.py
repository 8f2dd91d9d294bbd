"""The rune-vm of this computer: WebAssembly in pywasm3, models in TensorFlow Lite Micro."""

from runec.vm.feed import Feed, Inputs
from runec.vm.output import output_line
from runec.vm.run import run_rune

__all__ = ["Feed", "Inputs", "output_line", "run_rune"]
