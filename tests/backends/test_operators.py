from __future__ import annotations

import re

from runec.backends import tflm
from runec.components import fetch
from runec.models import ModelGraph

KERNELS = fetch(tflm.COMPONENT) / "submodules/tensorflow/tensorflow/lite/micro/kernels"


def test_every_kernel_of_the_library_is_known_and_where_it_is_said_to_be() -> None:
    registered = {
        name: path.name
        for path in KERNELS.glob("*.cc")
        if not path.name.endswith("_test.cc")
        for name in re.findall(r"TfLiteRegistration\* Register_(\w+)\(\)", path.read_text())
    }
    # One is a custom operator, one the same kernel under another name.
    assert {
        name: file
        for name, file in registered.items()
        if name not in ("CIRCULAR_BUFFER", "L2NORM_REF")
    } == tflm.KERNELS


def test_missing_operators_are_named_once_and_sorted() -> None:
    uses = ["ADD", "SHAPE", "LSTM", "SHAPE", "MEAN"]
    assert tflm.missing_operators(uses) == ("LSTM", "SHAPE")
    assert tflm.missing_operators(["MEAN", "CONV_2D"]) == ()


def test_an_operator_that_devices_lack_is_an_objection() -> None:
    graph = ModelGraph((), (), (), ())
    assert tflm.device_objection(graph, ["ADD", "CONV_2D"], ()) is None
    assert tflm.device_objection(graph, ["ADD", "STABLEHLO_CASE"], ()) == "it has no STABLEHLO_CASE"
    hybrid = tflm.device_objection(graph, ["CONV_2D"], ("CONV_2D",))
    assert hybrid == "its CONV_2D cannot mix float inputs with weights of 8 bits"


def test_every_kernel_has_its_element_types() -> None:
    assert set(tflm.ELEMENTS) == set(tflm.KERNELS)


def test_a_flash_estimate_exists_for_every_kernel() -> None:
    for name in set(tflm.KERNELS) - {"NEG"}:  # the others are compared with that one
        assert tflm.least_flash_bytes([name]) < tflm.flash_bytes([name])
        assert tflm.flash_bytes([name]) > tflm.flash_bytes(["NEG"]) > 0


def test_only_the_needed_sources_are_taken() -> None:
    library, own, *_ = tflm.source_groups(["RESHAPE"])
    kernels = [name for name in library.sources if "/micro/kernels/" in name]
    assert kernels == ["tensorflow/lite/micro/kernels/reshape.cc"]
    assert own.sources == ("model_tflm.cc",)
    assert "tensorflow/lite/kernels/internal/reference/softmax.h" not in library.files


def test_a_kernel_of_ours_stands_in_for_the_librarys() -> None:
    library, *others = tflm.source_groups(["FULLY_CONNECTED"])
    sources = [name for group in (library, *others) for name in group.sources]
    assert not [name for name in sources if "/micro/kernels/" in name]
    assert "fully_connected.cc" in sources
    assert "tensorflow/lite/kernels/internal/reference/fully_connected.h" in library.files


def test_only_kernels_that_multiply_and_add_are_compiled_for_speed() -> None:
    """Of the others some grow to many times their size by -O3."""
    groups = tflm.source_groups(["ADD", "CONV_2D", "FULLY_CONNECTED", "SOFTMAX"])
    fast = {name for group in groups if "-O3" in group.flags for name in group.sources}
    assert fast == {"tensorflow/lite/micro/kernels/conv.cc", "fully_connected.cc"}


def test_a_model_without_such_a_kernel_has_no_group_for_them() -> None:
    assert all(group.sources for group in tflm.source_groups(["ADD"]))
