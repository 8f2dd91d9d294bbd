"""The shapes of custom operators' results: those that TensorFlow Lite Micro has kernels for.

The kernels compare element types and numbers of dimensions, but not sizes, and they take indices
from constants and options. So a rule here also checks that what its kernel reads and writes lies in
the tensors. tests/models/test_custom_rules.py runs the kernels beside the rules.

Operators that only keep state (`CIRCULAR_BUFFER`) have the shape that the file states.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from runec.models.flexbuffer import read_options
from runec.models.shape_rules import Applied, Rule, Shape, ensure
from runec.values import ElementType

_SHIFT_MAX = 31
_FFT_MAX = 1 << 16
_STATE_MAX = 1 << 20
# 3 values for each of 32 bits and a polynomial of 3 at the end, as the kernel reads them.
_GAIN_TABLE_LEAST = 125
_INT16, _INT32, _FLOAT32 = (
    kind.tflite_code for kind in (ElementType.I16, ElementType.I32, ElementType.F32)
)


def _options(use: Applied, *names: str) -> tuple[int, ...]:
    """Return the options of an operator, which has these and no others."""
    found = read_options(use.custom)
    ensure(sorted(found) == sorted(names))
    return tuple(found[name] for name in names)


def _vector(use: Applied, position: int) -> int:
    """Return the size of an input of one dimension."""
    (size,) = use.shape_of_rank(position, 1)
    ensure(size > 0)
    return size


def _last(shape: Shape) -> int:
    ensure(bool(shape) and math.prod(shape) > 0)
    return shape[-1]


def _delay(use: Applied) -> Sequence[Shape]:
    (length,) = _options(use, "delay_length")
    shape = use.shape(0)
    ensure(length >= 0 and (length + _last(shape)) * math.prod(shape[:-1]) <= _STATE_MAX)
    return [shape]


def _energy(use: Applied) -> Sequence[Shape]:
    end, start = _options(use, "end_index", "start_index")
    count = _vector(use, 0)
    ensure(count % 2 == 0 and 0 <= start <= end <= count // 2)
    return [(count // 2,)]


def _auto_scale(use: Applied) -> Sequence[Shape]:
    return [(_vector(use, 0),), ()]


def _filter_bank(use: Applied) -> Sequence[Shape]:
    (channels,) = _options(use, "num_channels")
    size = _vector(use, 0)
    weights = min(_vector(use, 1), _vector(use, 2))
    ensure(0 < channels < _STATE_MAX)
    starts, weight_starts, widths = (use.constant(at) for at in (3, 4, 5))
    ensure(len(starts) == len(weight_starts) == len(widths) == channels + 1)
    for start, weight_start, width in zip(starts, weight_starts, widths, strict=True):
        ensure(width <= 0 or (start >= 0 and start + width <= size))
        ensure(width <= 0 or (weight_start >= 0 and weight_start + width <= weights))
    return [(channels,)]


def _filter_bank_log(use: Applied) -> Sequence[Shape]:
    bits, _ = _options(use, "input_correction_bits", "output_scale")
    ensure(0 <= bits <= _SHIFT_MAX)
    return [(_vector(use, 0),)]


def _spectral_subtraction(use: Applied) -> Sequence[Shape]:
    names = (
        *("num_channels", "smoothing_bits", "spectral_subtraction_bits"),
        *("alternate_one_minus_smoothing", "alternate_smoothing", "clamping"),
        *("min_signal_remaining", "one_minus_smoothing", "smoothing"),
    )
    channels, *bits = _options(use, *names)[:3]
    ensure(channels == _vector(use, 0) and all(0 <= each <= _SHIFT_MAX for each in bits))
    return [(channels,), (channels,)]


def _square_root(use: Applied) -> Sequence[Shape]:
    ensure(use.shape(1) == ())
    return [(_vector(use, 0),)]


def _framer(use: Applied) -> Sequence[Shape]:
    size, step, _ = _options(use, "frame_size", "frame_step", "prefill")
    shape = use.shape(0)
    ensure(0 < step <= size and _last(shape) % step == 0)
    ensure(size * math.prod(shape[:-1]) <= _STATE_MAX)
    return [(*shape[:-1], shape[-1] // step, size), ()]


def _fft_length(use: Applied) -> int:
    kind, length = _options(use, "T", "fft_length")
    ensure(kind in (_INT16, _INT32, _FLOAT32))
    # The kernels factor it, and divide it by two.
    ensure(2 <= length <= _FFT_MAX and length & (length - 1) == 0)
    return length


def _rfft(use: Applied) -> Sequence[Shape]:
    length, shape = _fft_length(use), use.shape(0)
    ensure(_last(shape) <= length)
    return [(*shape[:-1], length + 2)]


def _irfft(use: Applied) -> Sequence[Shape]:
    length, shape = _fft_length(use), use.shape(0)
    ensure(_last(shape) == length + 2)
    return [(*shape[:-1], length)]


def _overlap_add(use: Applied) -> Sequence[Shape]:
    kind, step = _options(use, "T", "frame_step")
    shape = use.shape(0)
    ensure(kind in (_INT16, _FLOAT32) and len(shape) >= 2 and 0 < step <= _last(shape))
    return [(*shape[:-2], shape[-2] * step)]


def _pcan(use: Applied) -> Sequence[Shape]:
    (shift,) = _options(use, "snr_shift")
    size = _vector(use, 0)
    ensure(0 <= shift <= _SHIFT_MAX and _vector(use, 1) == size)
    ensure(_vector(use, 2) >= _GAIN_TABLE_LEAST)
    return [(size,)]


def _stacker(use: Applied) -> Sequence[Shape]:
    channels, left, right, step = _options(
        use, "num_channels", "stacker_left_context", "stacker_right_context", "stacker_step"
    )
    ensure(channels == _vector(use, 0) and left >= 0 and right >= 0)
    count = left + right + 1
    ensure(0 < step <= count and channels * count <= _STATE_MAX)
    return [(channels * count,), ()]


def _window(use: Applied) -> Sequence[Shape]:
    (shift,) = _options(use, "shift")
    shape = use.shape(0)
    ensure(0 <= shift <= _SHIFT_MAX and _last(shape) % _vector(use, 1) == 0)
    return [shape]


def _circular_buffer(use: Applied) -> Sequence[Shape]:
    if use.custom:
        _options(use, "cycles_max")
    batch, high, wide, depth = use.shape_of_rank(0, 4)
    state = use.stated(0).shape
    ensure(len(state) == 4 and state[1] > 0)
    ensure(high == 1 and (batch, wide, depth) == (state[0], state[2], state[3]))
    return [state]


def _detection(use: Applied) -> Sequence[Shape]:
    options = read_options(use.custom)
    most, classes = options.get("max_detections", 0), options.get("num_classes", 0)
    each = min(options.get("max_classes_per_detection", 0), classes)
    one, boxes, numbers = use.shape_of_rank(0, 3)
    ensure(one == 1 and boxes > 0 and numbers >= 4 and use.shape(2) == (boxes, 4))
    # One more score is that of the background.
    ensure(0 < classes <= _STATE_MAX and use.shape(1) in _with_background(boxes, classes))
    ensure(most > 0 and most * boxes <= _STATE_MAX)
    if options.get("use_regular_nms", 0):
        # The kernel's buffers hold most * boxes candidates; it needs most + boxes.
        ensure(most > 1 and boxes > 1 and options.get("detections_per_class", 1) > 0)
    else:
        # With more classes of a box the kernel writes behind the results.
        ensure(each == 1)
    tensors = [*map(use.given, range(3)), *map(use.stated, range(4))]
    ensure(all(tensor.type_code == _FLOAT32 for tensor in tensors))
    return [(1, most, 4), (1, most), (1, most), (1,)]


def _with_background(boxes: int, classes: int) -> tuple[Shape, Shape]:
    return (1, boxes, classes), (1, boxes, classes + 1)


CUSTOM_RULES: Mapping[str, Rule] = {
    "CIRCULAR_BUFFER": _circular_buffer,
    "SignalDelay": _delay,
    "SignalEnergy": _energy,
    "SignalFftAutoScale": _auto_scale,
    "SignalFilterBank": _filter_bank,
    "SignalFilterBankLog": _filter_bank_log,
    "SignalFilterBankSpectralSubtraction": _spectral_subtraction,
    "SignalFilterBankSquareRoot": _square_root,
    "SignalFramer": _framer,
    "SignalIrfft": _irfft,
    "SignalOverlapAdd": _overlap_add,
    "SignalPCAN": _pcan,
    "SignalRfft": _rfft,
    "SignalStacker": _stacker,
    "SignalWindow": _window,
    "TFLite_Detection_PostProcess": _detection,
}
"""Custom operator -> its rule."""
