"""The rune-vm of the host: WebAssembly in pywasm3, models in TensorFlow Lite Micro."""

from runec.vm.device_output import ResultError, check_result
from runec.vm.errors import (
    REQUESTS_MAX,
    FailedRunError,
    MissingInputError,
    too_many_requests,
    unused_input,
)
from runec.vm.inputs import InputReader, Inputs, unused_inputs
from runec.vm.output import output_line
from runec.vm.run import Watch, run_rune, run_rune_bytes
from runec.vm.trace import Step
from runec.vm.validation import validate

__all__ = [
    "REQUESTS_MAX",
    "FailedRunError",
    "InputReader",
    "Inputs",
    "MissingInputError",
    "ResultError",
    "Step",
    "Watch",
    "check_result",
    "output_line",
    "run_rune",
    "run_rune_bytes",
    "too_many_requests",
    "unused_input",
    "unused_inputs",
    "validate",
]
