"""Contents of a board file. Members have the names of the TOML keys."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec

Bytes = Annotated[int, msgspec.Meta(gt=0, lt=1 << 32)]
Address = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]
# `pio:ID` is a board of PlatformIO's, which has no file.
PLATFORMIO_PREFIX = "pio:"
BoardId = Annotated[
    str, msgspec.Meta(pattern=r"^(?:[a-z0-9][a-z0-9_-]{0,59}|pio:[A-Za-z0-9][\w.-]{0,59})$")
]
LinkKind = Literal["uart", "rtt"]
InputKind = Literal["link", "sensor"]
# A device may be silent for longer than that in the middle of a run: docs/spec/link.md, section 3.
MAX_TIME_BUDGET_MS = 100_000
UsbId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")]
Level = Literal["builds", "emulated", "silicon"]
Symbol = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]*$")]
Version = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+[\w.+-]{0,20}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^\w[\w.-]{0,59}$")]
Revision = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}$")]
PinNumber = Annotated[int, msgspec.Meta(ge=0, le=255)]


class Cpu(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The processor: its name, its instruction set and its clock."""

    name: str
    isa: str
    clock_hz: Annotated[int, msgspec.Meta(gt=0)]


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Addresses `origin` to `origin + size_bytes`."""

    origin: Address
    size_bytes: Bytes


class CoreMemory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Memory of an Arduino core beyond a bare-metal firmware, measured.

    With `stack_in_heap` the core allocates the stack from RAM that the linker does not give out.
    """

    flash_bytes: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] = 0
    ram_bytes: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] = 0
    stack_in_heap: bool = False


class VendorMemory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Memory for a program by the vendor's linker script and partition table.

    `flash` is what code and constants share, `ram` what static variables do, each the board's own
    where it is None; `core` is what the core takes of both.
    """

    flash: Region | None = None
    ram: Region | None = None
    core: CoreMemory = CoreMemory()


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where things lie. `constants` is None where code and constants share one region.

    `ram_code` is RAM that code can run from, by the addresses at which it does, where the HAL has
    such code. `storage` is flash that programs may keep things in, where it is not what they leave
    of `constants` or `code`.

    `header` is what the chip's boot ROM expects at the start of the code, as 32-bit words. `ram`
    starts with the stack, so `ram.origin` should have nothing mapped below it: a stack overflow
    then faults instead of overwriting data. `stack_bytes` is for everything: interrupts, the link,
    models, and wasm calls with the engine's compiler above these. More is for compilers that make
    no tail calls: there each instruction of a wasm function takes stack until the next turn of a
    loop. `core` is what an Arduino core takes of both; None on bare metal.
    """

    code: Region
    constants: Region | None = None
    ram: Region
    ram_code: Region | None = None
    storage: Region | None = None
    header: tuple[Address, ...] = ()
    stack_bytes: Bytes = 16_384
    core: CoreMemory | None = None

    @property
    def flash_bytes(self) -> int:
        """Bytes of flash for code and constants together."""
        return self.code.size_bytes + (self.constants.size_bytes if self.constants else 0)


class Toolchain(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The bare-metal compiler.

    `cxx_headers_from` names a compiler whose C++ headers are used where this one has none.
    `code_size_percent` compares its code with that of a Cortex-M4 with FPU, at most, for the
    budget. `packages` are the Debian packages that bring all of it. `pio_package` is the package of
    PlatformIO's registry that brings a compiler of the same names, for which flags and libraries
    are right as they are; empty where there is none.
    """

    prefix: str
    flags: tuple[str, ...]
    link_flags: tuple[str, ...] = ()
    cxx_headers_from: str = ""
    libc: str
    code_size_percent: Annotated[int, msgspec.Meta(ge=50, le=400)] = 100
    packages: tuple[str, ...]
    pio_package: Annotated[str, msgspec.Meta(pattern=r"^(?:[\w.-]+/[\w.-]+@[~^]?[\w.]+)?$")] = ""


class Hal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The folder below `firmware_templates/hal/` and the numbers its files are compiled with.

    `shares` are folders with what the chip has in common with others, its core for instance. `i2c`
    is empty where the folder has no I2C. `link` says where the link is spoken: on the console, or
    (`rtt`) in buffers in RAM that a debugger reads and writes; the console then has the log only.
    `ports` are what a pin's name begins with, and the number that the folder gives the port's first
    pin; the rest of the name counts from 0, below `pins_per_port`. `reserved` are pins that no rune
    may drive, below what has them; `caution` are pins that it had better not, below the reason.
    """

    folder: Identifier
    shares: tuple[Identifier, ...] = ()
    console: str
    i2c: str = ""
    baud: Annotated[int, msgspec.Meta(gt=0)]
    ports: dict[str, Annotated[int, msgspec.Meta(ge=0)]] = {}
    pins_per_port: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0
    link: LinkKind = "uart"
    defines: dict[Symbol, int] = {}
    reserved: dict[str, tuple[str, ...]] = {}
    caution: dict[str, tuple[str, ...]] = {}


class BoardPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a name of the board stands for.

    `pin` is the chip's name; `active_low`: what hangs on it is on when the pin is low.
    """

    pin: str
    active_low: bool = False


class CpuOverrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `[cpu]` is in the emulator; None: as on the board."""

    clock_hz: Annotated[int, msgspec.Meta(gt=0)] | None = None


class ToolchainOverrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `[toolchain]` is for the emulator; None: as for the board."""

    flags: tuple[str, ...] | None = None


class HalOverrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `[hal]` is in the emulator; None: as on the board. `defines` replace key by key."""

    link: LinkKind | None = None
    defines: dict[Symbol, int] = {}


class Overrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The values of the emulated variant of a board that differ from those of the board.

    A board file describes the hardware. What an emulator lacks stands here, and here alone.
    """

    cpu: CpuOverrides = CpuOverrides()
    toolchain: ToolchainOverrides = ToolchainOverrides()
    hal: HalOverrides = HalOverrides()


class Emulator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the board is emulated: `target` is QEMU's machine or labwired's chip.

    `overrides` are what `Board.emulated()` changes; where there are none, the emulator runs the
    image for the board itself.
    """

    kind: Literal["qemu", "labwired"]
    target: str
    program: str = ""
    flags: tuple[str, ...] = ()
    overrides: Overrides = Overrides()


class Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the bare-metal image gets into flash.

    `command` is run by PlatformIO's upload target; `{image}` is a raw image of the code region,
    `{constants}` one of the constants region, `{elf}` the program, `{port}` the port or empty,
    `{code_origin}` the address of the code region, `{script}` a file with the lines of `script`.
    Other names in braces are those of the board's `upload_values`. `package` says what installs
    the program. With `esp_chip`, the number that Espressif gives the chip, `{app}` is an
    application image for its second-stage loader. `revision_min` is the first revision of the chip
    that can start the image. `note` is what somebody who uploads must know, `wake` how the board is
    brought to listen, where that is not as usual.
    """

    protocol: Identifier
    command: tuple[str, ...]
    script: tuple[str, ...] = ()
    package: str
    needs_port: bool = False
    esp_chip: Annotated[int, msgspec.Meta(ge=0, lt=1 << 16)] | None = None
    revision_min: Revision | None = None
    note: str = ""
    wake: str = ""


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sensor on the board: its part's name, what it measures, where it is.

    `address` is its 7-bit address on an I2C bus.
    """

    name: Identifier
    measures: str
    bus: str
    address: Annotated[int, msgspec.Meta(ge=0x08, le=0x77)] | None = None


class Vendor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The board's names in PlatformIO's registry.

    `version` is that of the platform, with which the board was built. `ldscript` and `variant` are
    files of the core that fit the board better than those of its manifest; `defines` and
    `undefines` are what the core's sources see, `serial_pins` receiver and transmitter of Serial,
    where the variant has others. `memory` is what the core's linker script gives a program.

    `pins` says how the Arduino core calls a pin: by the chip's `name`, or by the `number` that the
    bare-metal folder uses; None where it is unknown. `upload_protocol` is the usual way onto the
    board, that of the manifest where it is None, `other_protocols` are those that `--protocol`
    chooses. `preferred_because` says why a
    real board wants this build rather than the bare-metal one; empty where either does.
    """

    platform: str
    board: str
    framework: str
    version: Version | None = None
    ldscript: FileName | None = None
    variant: FileName | None = None
    defines: tuple[Symbol, ...] = ()
    undefines: tuple[Symbol, ...] = ()
    serial_pins: tuple[PinNumber, PinNumber] | None = None
    memory: VendorMemory = VendorMemory()
    upload_protocol: Identifier | None = None
    other_protocols: tuple[Identifier, ...] = ()
    pins: Literal["name", "number"] | None = None
    preferred_because: str = ""

    @property
    def protocols(self) -> tuple[str, ...]:
        """The ways onto the board, the usual one first."""
        usual = () if self.upload_protocol is None else (self.upload_protocol,)
        return (*usual, *self.other_protocols)

    @property
    def package(self) -> str:
        """The platform as PlatformIO takes it, with its version."""
        return self.platform if self.version is None else f"{self.platform}@{self.version}"


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One board.

    `verified` says how far: `builds`, `emulated`, `silicon`, and never more; `verified_reason` says
    what was done and what was not. Neither is inherited, nor are `id` and `name`. `upload` is the
    usual way onto the board, `other_uploads` are those that `--protocol` chooses. `usb_ids` are
    vendor and product of the USB device that the host sees; `usb_serial` says
    whether that is a serial port, joined to the console. `usb_upload_ids` are those of ports for
    uploads alone: the console is elsewhere. `input` says where
    ACCEL has its data from: the host (`link`), or the accelerometer of the board (`sensor`).
    `pins` are the board's own names of pins, such as `led`. `time_budget_ms` is the time that one
    run of a rune may take, without what it waits.
    """

    inherits: Identifier | None = None
    id: BoardId
    name: str
    url: str
    verified: tuple[Level, ...]
    verified_reason: str = ""
    cpu: Cpu
    memory: Memory
    toolchain: Toolchain
    hal: Hal
    input: InputKind = "link"
    time_budget_ms: Annotated[int, msgspec.Meta(ge=1, le=MAX_TIME_BUDGET_MS)] = 30_000
    emulator: Emulator | None = None
    sensors: tuple[Sensor, ...] = ()
    pins: dict[Identifier, BoardPin] = {}
    usb_ids: tuple[UsbId, ...] = ()
    usb_serial: bool = True
    usb_upload_ids: tuple[UsbId, ...] = ()
    upload: Upload | None = None
    other_uploads: tuple[Upload, ...] = ()
    upload_values: dict[Identifier, str] = {}
    vendor: Vendor | None = None

    @property
    def is_vendor_only(self) -> bool:
        """Whether there is nothing of the board but what its vendor's core has."""
        return self.id.startswith(PLATFORMIO_PREFIX)

    @property
    def file_id(self) -> str:
        """The id in names of files and folders."""
        return self.id.replace(":", "-")

    @property
    def variant_id(self) -> str:
        """The id in names of folders with builds, another one for each of the two variants."""
        has_overrides = self.emulator is not None and self.emulator.overrides != Overrides()
        return f"{self.file_id}-silicon" if has_overrides else self.file_id

    def with_link(self, link: LinkKind | None) -> Board:
        """Return this board with another link; None: unchanged."""
        if link is None:
            return self
        return msgspec.structs.replace(self, hal=msgspec.structs.replace(self.hal, link=link))

    def with_vendor(self) -> Board:
        """Return this board with the vendor's core: its memory, and the link on Serial."""
        memory, found = self.memory, self.vendor.memory if self.vendor else VendorMemory()
        flash = Region(origin=memory.code.origin, size_bytes=memory.flash_bytes)
        memory = Memory(
            code=found.flash or flash,
            ram=found.ram or memory.ram,
            core=found.core,
            stack_bytes=memory.stack_bytes,
        )
        return msgspec.structs.replace(self.with_link("uart"), memory=memory)

    def emulated(self) -> Board:
        """Return the emulated variant: this board with the overrides of its `[emulator]`.

        `runec flash` and `runec firmware` build the board itself, `run --on emulator:` builds this.
        The variant of a variant is itself.
        """
        if self.emulator is None:
            return self
        overrides = self.emulator.overrides
        cpu, toolchain, hal = self.cpu, self.toolchain, self.hal
        if overrides.cpu.clock_hz is not None:
            cpu = msgspec.structs.replace(cpu, clock_hz=overrides.cpu.clock_hz)
        if overrides.toolchain.flags is not None:
            toolchain = msgspec.structs.replace(toolchain, flags=overrides.toolchain.flags)
        if overrides.hal.defines:
            defines = {**hal.defines, **overrides.hal.defines}
            hal = msgspec.structs.replace(hal, defines=defines)
        emulator = msgspec.structs.replace(self.emulator, overrides=Overrides())
        board = msgspec.structs.replace(
            self, cpu=cpu, toolchain=toolchain, hal=hal, emulator=emulator
        )
        return board.with_link(overrides.hal.link)

    def with_input(self, source: InputKind | None) -> Board:
        """Return this board with another ACCEL source; None: unchanged."""
        return self if source is None else msgspec.structs.replace(self, input=source)

    def with_time_budget(self, seconds: float | None) -> Board:
        """Return this board with another time limit for one run, within the limit of the link.

        None: unchanged.
        """
        if seconds is None:
            return self
        budget_ms = min(max(math.ceil(seconds * 1000), 1), MAX_TIME_BUDGET_MS)
        return msgspec.structs.replace(self, time_budget_ms=budget_ms)
