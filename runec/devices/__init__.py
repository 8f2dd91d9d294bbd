"""A target where a rune runs: the host, or a board; and the link between them.

R0901  the device does not answer          R0910  the model engine failed on the device
R0902  it restarted in the middle of a run R0911  the rune's time budget was used up
R0903  it breaks the link's protocol       R0912  a capability has no data
R0904  a run took longer than allowed      R0913  the emulator exited
R0905  the firmware rejects the .rune      R0914  the emulator is not installed
R0906  the firmware lacks what it needs    R0915  the emulator does not start
R0907  the rune trapped on the device      R0916  the board has no emulator
R0908  a stage failed on the device        R0917  the firmware carries another rune
R0909  invalid call of a host function    R0918  no such target
R0919  the board has no way to be written  R0920  the upload failed
R0921  only the host can do that           R0923  no board answers the upload
R0924  the upload tool lacks permission    R0927  another firmware than the self test
R0930  the RTT buffers in its RAM are malformed
R0931  the emulator cannot carry the link
R0940  the serial port is lost             R0941  the serial port cannot be opened
R0942  the board is at no port             R0943  it could be at several
R0950  the board's sensor cannot be read   R0951  the emulator lacks such a sensor
"""

from runec.devices.emulator import (
    EmulatedBoard,
    EmulatedDevice,
    Emulation,
    check_emulator,
    check_hello,
    check_inputs,
    plan_emulation,
    start_emulator,
)
from runec.devices.flashing import (
    Flashed,
    FlashPlan,
    flash,
    flash_selftest,
    plan_flash,
    plan_flash_selftest,
)
from runec.devices.messages import Hello, Stats
from runec.devices.targets import (
    Target,
    emulator_patience_s,
    open_emulator,
    run,
    run_bytes,
    start_emulated_board,
)

__all__ = [
    "EmulatedBoard",
    "EmulatedDevice",
    "Emulation",
    "FlashPlan",
    "Flashed",
    "Hello",
    "Stats",
    "Target",
    "check_emulator",
    "check_hello",
    "check_inputs",
    "emulator_patience_s",
    "flash",
    "flash_selftest",
    "open_emulator",
    "plan_emulation",
    "plan_flash",
    "plan_flash_selftest",
    "run",
    "run_bytes",
    "start_emulated_board",
    "start_emulator",
]
