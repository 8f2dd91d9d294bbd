"""The rune-vm of this computer: WebAssembly in pywasm3, models in TensorFlow Lite Micro."""

from runec.vm.describing import device_rune
from runec.vm.errors import unused_input
from runec.vm.feed import Feed, Inputs, unused_inputs
from runec.vm.original import device_result
from runec.vm.output import output_line
from runec.vm.run import Watch, run_rune, run_rune_bytes
from runec.vm.trace import Step
from runec.vm.validation import validate

__all__ = [
    "Feed",
    "Inputs",
    "Step",
    "Watch",
    "device_result",
    "device_rune",
    "output_line",
    "run_rune",
    "run_rune_bytes",
    "unused_input",
    "unused_inputs",
    "validate",
]
