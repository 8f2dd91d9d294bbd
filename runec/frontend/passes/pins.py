"""Pins of outs: arguments and input types."""

from __future__ import annotations

from runec.diagnostics import Diagnostics, Label
from runec.frontend.ast import OutNode
from runec.frontend.passes.arguments import Arguments, Value
from runec.frontend.passes.edges import Edges
from runec.frontend.passes.names import NameTable
from runec.frontend.passes.types import Typed
from runec.pipeline import PIN_NAME, ElementType, OutputKind, Pin

PIN_ARGUMENTS = ("pin", "active_low")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def read_pins(
    names: NameTable,
    kinds: dict[str, OutputKind],
    arguments: Arguments,
    diagnostics: Diagnostics,
) -> dict[str, Pin]:
    """The pin of each PIN; those with a mistake are reported and absent."""
    found: dict[str, Pin] = {}
    takers: dict[str, Value] = {}
    for name, kind in kinds.items():
        if kind is not OutputKind.PIN:
            continue
        values = arguments.values[name]
        if "pin" not in values:
            if name not in arguments.broken:
                diagnostics.error(
                    "R0421",
                    f'The "{name}" out has no pin',
                    names.stages[name].name.span,
                    hint="add the argument `pin`: a name of the board file such as LED, or PA5",
                )
            continue
        pin, low = values["pin"], values.get("active_low")
        hint = "use a name of the board file, such as LED, or of the chip, such as PA5"
        is_named = isinstance(pin.text, str) and PIN_NAME.fullmatch(pin.text) is not None
        if not is_named:
            _report(pin, hint, diagnostics)
        if low is not None and low.shown not in _FLAGS:
            _report(low, "write true or false", diagnostics)
        elif is_named:
            found[name] = Pin(pin.shown, _FLAGS[low.shown] if low is not None else False)
            first = takers.setdefault(pin.shown.upper(), pin)
            if first is not pin:
                diagnostics.error(
                    "R0423",
                    f'"{pin.shown}" has two outs',
                    pin.argument.value_span,
                    hint="use a different pin for each",
                    labels=[Label(first.argument.value_span, "the first one is here")],
                )
    return found


def _report(value: Value, hint: str, diagnostics: Diagnostics) -> None:
    diagnostics.error(
        "R0422",
        f'"{value.shown[:40]}" is not a value for "{value.argument.key.text}"',
        value.argument.value_span,
        hint=hint,
    )


def check_pin_inputs(
    names: NameTable,
    edges: Edges,
    kinds: dict[str, OutputKind],
    typed: Typed,
    diagnostics: Diagnostics,
) -> None:
    """Report a PIN that gets something else than one number."""
    for name, kind in kinds.items():
        stage = names.stages[name]
        if kind is not OutputKind.PIN or not isinstance(stage, OutNode):
            continue
        if len(edges[name]) > 1:
            diagnostics.error(
                "R0208",
                f'The "{name}" out needs exactly one input, not {len(edges[name])}',
                stage.inputs[1].span,
                hint="write an out for each pin",
            )
        for edge in edges[name][:1]:
            outputs = typed.outputs.get(edge.producer, ()) if edge is not None else ()
            if edge is None or edge.index >= len(outputs):
                continue
            given = outputs[edge.index].type
            if given.element is ElementType.UTF8 or given.element_count != 1:
                diagnostics.error(
                    "R0208",
                    f'The "{name}" out needs one number, but "{edge.producer}" provides {given}',
                    edge.ref.span,
                    hint="insert a block that outputs one number, such as argmax or threshold",
                )
