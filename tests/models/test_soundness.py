"""Models whose constants, subgraphs or variables would lead a library out of its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from runec.diagnostics import RuneError, UserFileError
from runec.frontend.model_engines import DEVICES, find_engines
from runec.models import ModelFile, resolve_model
from runec.vm.host_model import HostModel
from tests.shape_models import ModelSketch


def ran(data: bytes, *inputs: Any, runs: int = 1) -> list[list[float]]:
    """The first outputs of a model's runs in TensorFlow Lite Micro."""
    said: list[str] = []
    host = HostModel("net", ModelFile(data), None, lambda text, _: said.append(text))
    assert not any("LiteRT" in text for text in said)
    given = [np.asarray(each, "<f4").tobytes() for each in inputs]
    return [np.frombuffer(host.infer(given)[0], "<f4").tolist() for _ in range(runs)]


# --- constants ---------------------------------------------------------------------------------


def adding(count: int, *, kind: str = "f4", sparse: bool = False) -> bytes:
    """ADD of f32[8] and a constant that has `count` elements, and the shape of 8."""
    sketch = ModelSketch()
    given = sketch.tensor("f4", [8])
    constant = sketch.constant(kind, [1] * count, [8])
    result = sketch.tensor("f4", [8])
    if sparse:
        sketch.make_sparse(constant)
    sketch.operator("ADD", [given, constant], [result])
    return sketch.written([given], [result])


def test_a_constant_with_too_few_bytes_is_rejected() -> None:
    """The libraries would read what lies behind it: memory of the host into the output."""
    assert ran(adding(8), [0.0] * 8) == [[1.0] * 8]
    assert ModelFile(adding(9)).findings.wrong == ()
    fact = "8 bytes for the constant 't1', float32 of the shape [8]"
    data = adding(2)
    assert ModelFile(data).findings.wrong == (fact,)
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    assert (caught.value.code, caught.value.message) == ("R0324", f"the model's file has {fact}")
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code == "R0713"
    assert find_engines(ModelFile(data)).objections[DEVICES] == f"the file has {fact}"


def test_a_sparse_constant_is_not_trusted() -> None:
    assert ModelFile(adding(2, sparse=True)).findings.unverified == ("sparse constants",)


def test_a_tensor_that_nothing_writes_is_rejected() -> None:
    sketch = ModelSketch()
    given, other, result = (sketch.tensor("f4", [4]) for _ in range(3))
    sketch.operator("ADD", [given, other], [result])
    fact = "no elements for the tensor 't1', which ADD reads"
    assert ModelFile(sketch.written([given], [result])).findings.wrong == (fact,)
    assert ModelFile(sketch.written([given, other], [result])).findings.wrong == ()


def test_an_output_that_nothing_writes_is_rejected() -> None:
    """It would be what an earlier model left in memory."""
    sketch = ModelSketch()
    given, result, other = (sketch.tensor("f4", [4]) for _ in range(3))
    sketch.operator("ABS", [given], [result])
    data = sketch.written([given], [result, other])
    fact = "no elements for the tensor 't2', which is an output"
    assert ModelFile(data).findings.wrong == (fact,)
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    assert (caught.value.code, caught.value.message) == ("R0324", f"the model's file has {fact}")
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code == "R0713"


def test_a_constant_that_is_an_input_is_rejected() -> None:
    """A library writes the input over it, a device to flash."""
    sketch = ModelSketch()
    given, ones, result = (
        sketch.tensor("f4", [2]),
        sketch.constant("f4", [1.0, 1.0]),
        sketch.tensor("f4", [2]),
    )
    sketch.operator("ADD", [given, ones], [result])
    fact = "constant elements for the tensor 't1', an input"
    data = sketch.written([given, ones], [result])
    assert ModelFile(data).findings.wrong == (fact,)
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    assert (caught.value.code, caught.value.message) == ("R0324", f"the model's file has {fact}")
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code == "R0713"
    assert ModelFile(sketch.written([given], [result])).findings.wrong == ()


def filtered(*bias: int) -> bytes:
    """DEPTHWISE_CONV_2D by ones of f32[1, 4, 4, 2]; `bias` is that tensor's number."""
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [1, 4, 4, 2]), sketch.tensor("f4", [1, 4, 4, 2])
    weights = sketch.constant("f4", np.ones((1, 1, 1, 2)))
    options = {"strideW": 1, "strideH": 1, "depthMultiplier": 1}
    sketch.operator("DEPTHWISE_CONV_2D", [given, weights, *bias], [result], options)
    return sketch.written([given], [result])


def test_a_bias_that_is_left_out_of_a_depthwise_convolution_is_rejected() -> None:
    """It ends the process. Left out of the list it runs."""
    x = np.arange(32)
    assert ran(filtered(), x) == [x.tolist()]
    data = filtered(-1)
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    assert caught.value.code == "R0324"
    assert "no bias for DEPTHWISE_CONV_2D" in caught.value.message
    assert "no bias for" in (find_engines(ModelFile(data)).objections[DEVICES] or "")
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code == "R0713"


def test_an_input_and_a_constant_may_be_outputs() -> None:
    sketch = ModelSketch()
    given, two, result = (
        sketch.tensor("f4", [2]),
        sketch.constant("f4", [2.0, 3.0]),
        sketch.tensor("f4", [2]),
    )
    sketch.operator("ADD", [given, two], [result])
    assert ModelFile(sketch.written([given], [result, given, two])).findings.wrong == ()


ALIKE = """
    ADD DIV EQUAL FLOOR_DIV GREATER LESS MAXIMUM MINIMUM MUL PACK POW PRELU SUB
    SQUARED_DIFFERENCE CONCATENATION ADD_N
"""


@pytest.mark.parametrize("kind", ["i2", "b1", "i8"])
@pytest.mark.parametrize("name", ALIKE.split())
def test_elements_of_another_type_are_rejected(name: str, kind: str) -> None:
    """Kernels of the library read each input as the type of the first, behind its end."""
    sketch = ModelSketch()
    given, other = sketch.tensor("f4", [64]), sketch.tensor(kind, [64])
    size = {"CONCATENATION": [128], "PACK": [2, 64]}.get(name, [64])
    result = sketch.tensor("b1" if name in ("EQUAL", "GREATER", "LESS") else "f4", size)
    sketch.operator(name, [given, other], [result], {"valuesCount": 2} if name == "PACK" else None)
    (fact,) = ModelFile(sketch.written([given, other], [result])).findings.wrong
    assert fact.startswith("elements of ")
    assert fact.endswith(f" for the tensor 't1', which {name} reads as float32")


@pytest.mark.parametrize(
    ("kinds", "wrong"),
    [
        (("f4", "f4", "f4"), None),
        (("i1", "i1", "i4"), None),
        (("i2", "i1", "i8"), None),
        (("i2", "i1", "i4"), None),
        (("f4", "i1", "f4"), None),  # another kernel, which the engines' table has
        (("f4", "i2", "f4"), "which FULLY_CONNECTED reads as float32"),
        (("f4", "f4", "i1"), "which FULLY_CONNECTED reads as float32"),
        (("i1", "i1", "i1"), "which FULLY_CONNECTED reads as int32"),
        (("i1", "f4", "i4"), "which FULLY_CONNECTED reads as int8"),
    ],
)
def test_weights_and_biases_have_the_types_of_a_kernel(
    kinds: tuple[str, str, str], wrong: str | None
) -> None:
    sketch = ModelSketch()
    scales = [None if kind == "f4" else 1.0 for kind in kinds]
    given = sketch.tensor(kinds[0], [1, 4], scale=scales[0])
    weights = sketch.constant(kinds[1], np.ones((2, 4)), scale=scales[1])
    bias = sketch.constant(kinds[2], [1, 1])
    result = sketch.tensor(kinds[0], [1, 2], scale=scales[0])
    sketch.operator("FULLY_CONNECTED", [given, weights, bias], [result])
    found = ModelFile(sketch.written([given], [result])).findings.wrong
    assert (found == ()) if wrong is None else found[0].endswith(wrong)


def transposing(kind: str) -> bytes:
    """TRANSPOSE of f32[2, 3, 4] to [4, 2, 3]."""
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [2, 3, 4]), sketch.tensor("f4", [4, 2, 3])
    sketch.operator("TRANSPOSE", [given, sketch.constant(kind, [2, 0, 1])], [result])
    return sketch.written([given], [result])


def test_a_permutation_of_int64_is_rejected() -> None:
    """Both libraries read it as int32, and elements from behind the input."""
    x = np.arange(24, dtype="f4").reshape(2, 3, 4)
    assert ran(transposing("i4"), x) == [x.transpose(2, 0, 1).ravel().tolist()]
    data = transposing("i8")
    fact = "elements of int64 for the tensor 't2', which TRANSPOSE reads as int32"
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    assert (caught.value.code, caught.value.message) == ("R0324", f"the model's file has {fact}")
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code == "R0713"
    assert find_engines(ModelFile(data)).objections["tflite-micro"] == f"the file has {fact}"


@pytest.mark.parametrize(
    ("kinds", "wrong"),
    [
        ("i4 i4", None),
        ("i8 i8", None),
        ("i4 i8", "elements of int64 for the tensor 't2', which SLICE reads as int32"),
        ("i8 i4", "elements of int32 for the tensor 't2', which SLICE reads as int64"),
        ("i4 f4", "elements of float32 for the tensor 't2', which SLICE reads as int32 or int64"),
        ("i2 i2", "elements of int16 for the tensor 't1', which SLICE reads as int32 or int64"),
    ],
)
def test_both_parameters_of_slice_are_of_one_type(kinds: str, wrong: str | None) -> None:
    sketch = ModelSketch()
    given = sketch.tensor("f4", [4, 4])
    begin, size = (sketch.constant(kind, [1, 2]) for kind in kinds.split())
    result = sketch.tensor("f4", [1, 2])
    sketch.operator("SLICE", [given, begin, size], [result])
    data = sketch.written([given], [result])
    found = ModelFile(data).findings.wrong
    if wrong is not None:
        assert found[0] == wrong
        return
    assert found == ()
    assert ran(data, np.arange(16)) == [[6, 7]]


def test_a_wrong_parameter_in_a_further_subgraph_is_found() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [4]), sketch.tensor("f4", [4])
    sketch.operator("ABS", [given], [result])
    other = sketch.subgraph()
    x, y = other.tensor("f4", [2, 3]), other.tensor("f4", [3, 2])
    other.operator("TRANSPOSE", [x, other.constant("i8", [1, 0])], [y])
    other.ends([x], [y])
    data = sketch.written([given], [result])
    (fact,) = ModelFile(data).findings.wrong
    assert fact == "elements of int64 for the tensor 't2', which TRANSPOSE reads as int32"
    with pytest.raises(UserFileError):
        resolve_model(ModelFile(data))


def test_paddings_of_int64_are_litert_s_alone() -> None:
    """TensorFlow Lite Micro and devices would take them for int32."""
    pytest.importorskip("ai_edge_litert.interpreter")
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [2, 2]), sketch.tensor("f4", [3, 4])
    sketch.operator("PAD", [given, sketch.constant("i8", [[1, 0], [2, 0]])], [result])
    data = sketch.written([given], [result])
    engines = find_engines(ModelFile(data))
    assert engines.takers == ("LiteRT",)
    why = "runec cannot verify what it writes: PAD with a parameter of int64"
    assert engines.objections[DEVICES] == why
    host = HostModel("net", ModelFile(data), None, lambda *_: None)
    (padded,) = host.infer([np.array([1, 2, 3, 4], "<f4").tobytes()])
    assert np.frombuffer(padded, "<f4").tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4]


def windowed(name: str, size: int, dilation: int = 1) -> bytes:
    """A convolution by ones, or a pool, of f32[1, 4, 4, 1] with SAME padding."""
    sketch = ModelSketch()
    given, result = (sketch.tensor("f4", [1, 4, 4, 1]) for _ in range(2))
    options = {"strideW": 1, "strideH": 1}
    inputs = [given]
    if name.endswith("CONV_2D"):
        inputs += [sketch.constant("f4", np.ones((1, size, size, 1))), sketch.constant("f4", [0])]
        options |= {"dilationWFactor": dilation, "dilationHFactor": dilation}
        options |= {"depthMultiplier": 1} if name == "DEPTHWISE_CONV_2D" else {}
    else:
        options |= {"filterWidth": size, "filterHeight": size}
    sketch.operator(name, inputs, [result], options)
    return sketch.written([given], [result])


@pytest.mark.parametrize(
    ("name", "size", "dilation", "most"),
    [
        ("CONV_2D", 3, 2**30, 2**30),
        ("CONV_2D", 3, 2**20, 2**20),
        ("CONV_2D", 3, 2**15, 2**15),
        ("DEPTHWISE_CONV_2D", 3, 2**30, 2**30),
        ("MAX_POOL_2D", 2**31 - 1, 1, 2**30 - 1),
        ("AVERAGE_POOL_2D", 2**17, 1, 2**16 - 1),
    ],
)
def test_a_window_that_16_bits_do_not_count_is_rejected(
    name: str, size: int, dilation: int, most: int
) -> None:
    """The library would take a dilation of 2**20 for 0."""
    data = windowed(name, size, dilation)
    fact = f"a dilation, stride or padding of {most} in 't0', which {name} keeps in 16 bits"
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    assert (caught.value.code, caught.value.message) == ("R0324", f"the model's file has {fact}")
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code == "R0713"


def test_a_window_far_wider_than_the_input_runs() -> None:
    x = np.arange(16)
    assert ran(windowed("CONV_2D", 3, 2**15 - 1), x) == [x.tolist()]
    assert ran(windowed("MAX_POOL_2D", 60001), x) == [[15] * 16]


def remembering(kind: str, times: str, state: str, bias: str) -> bytes:
    """SVDF of [1, 2] to [1, 2] with a memory of 3."""
    sketch = ModelSketch()

    def scaled(type_: str, *sizes: int) -> int:
        return sketch.tensor(type_, sizes, scale=None if type_ == "f4" else 0.5)

    given, result, kept = scaled(kind, 1, 2), scaled(kind, 1, 2), scaled(state, 1, 6)
    scale = None if kind == "f4" else 0.5
    features = sketch.constant(kind, np.ones((2, 2)), scale=scale)
    time = sketch.constant(times, np.ones((2, 3)), scale=scale)
    offsets = sketch.constant(bias, [0, 0], scale=scale)
    sketch.make_variable(kept)
    sketch.operator("SVDF", [given, features, time, offsets, kept], [result], {"rank": 1})
    return sketch.written([given], [result])


@pytest.mark.parametrize(
    ("kinds", "wrong"),
    [
        ("f4 f4 f4 f4", None),
        ("i1 i2 i2 i4", None),
        ("i1 i1 i1 i4", None),
        ("i1 i2 i1 i4", "elements of int8 for the tensor 't2', which SVDF reads as int16"),
        ("i1 i1 i2 i4", "elements of int16 for the tensor 't2', which SVDF reads as int8"),
        ("i1 i2 i2 i2", "elements of int16 for the tensor 't5', which SVDF reads as int32"),
        ("f4 i2 f4 f4", "elements of int16 for the tensor 't4', which SVDF reads as float32"),
    ],
)
def test_what_an_operator_keeps_has_the_type_of_its_weights(kinds: str, wrong: str | None) -> None:
    found = ModelFile(remembering(*kinds.split())).findings.wrong
    assert found[:1] == (() if wrong is None else (wrong,))


def test_an_operator_reads_what_was_written_before() -> None:
    sketch = ModelSketch()
    given, middle, result = (sketch.tensor("f4", [4]) for _ in range(3))
    sketch.operator("ABS", [middle], [result])
    sketch.operator("ABS", [given], [middle])
    (fact,) = ModelFile(sketch.written([given], [result])).findings.wrong
    assert fact == "no elements for the tensor 't1', which ABS reads"


def test_fewer_zero_points_than_scales_are_rejected() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("i1", [4], scale=1.0), sketch.tensor("i1", [4], scale=1.0)
    sketch.operator("ABS", [given], [result])
    sketch.quantise(result, [1.0, 1.0, 1.0], [0, 0])
    fact, *_ = ModelFile(sketch.written([given], [result])).findings.wrong
    assert fact == "2 zero points for 3 scales of 't1'"


# --- further subgraphs -------------------------------------------------------------------------


def branches(
    first: Sequence[int] = (4,),
    second: Sequence[int] = (4,),
    inner: Sequence[int] = (4,),
    **options: int,
) -> bytes:
    """IF x[0] > 0: ABS(x), else NEG(x); the shapes are those of results in the file."""
    sketch = ModelSketch()
    given, zero = sketch.tensor("f4", [4]), sketch.constant("f4", [0.0])
    begin, size = sketch.constant("i4", [0]), sketch.constant("i4", [1])
    head, truth = sketch.tensor("f4", [1]), sketch.tensor("b1", [1])
    result = sketch.tensor("f4", [4])
    sketch.operator("SLICE", [given, begin, size], [head])
    sketch.operator("GREATER", [head, zero], [truth])
    numbers = {"thenSubgraphIndex": 1, "elseSubgraphIndex": 2} | options
    sketch.operator("IF", [truth, given], [result], numbers)
    for name, shape in (("ABS", first), ("NEG", second)):
        branch = sketch.subgraph()
        x, y = branch.tensor("f4", inner), branch.tensor("f4", shape)
        branch.operator(name, [x], [y])
        branch.ends([x], [y])
    return sketch.written([given], [result])


def test_branches_that_fit_run() -> None:
    data = branches()
    assert ModelFile(data).findings.objection is None
    assert ran(data, [1, -2, 3, -4]) == [[1, 2, 3, 4]]
    assert ran(data, [-1, -2, 3, -4]) == [[1, 2, -3, 4]]


def test_a_wrong_shape_in_a_further_subgraph_is_found() -> None:
    (fact, *_) = ModelFile(branches(second=(2,))).findings.wrong
    assert fact == "the shape [2] for the tensor 't1', but NEG computes [4]"
    assert (
        find_engines(ModelFile(branches(second=(2,)))).objections["tflite-micro"]
        == f"the file has {fact}"
    )


@pytest.mark.parametrize(
    "data",
    [
        branches(first=(8,), second=(8,), inner=(8,)),
        branches(thenSubgraphIndex=-1),
        branches(elseSubgraphIndex=3),
    ],
)
def test_branches_that_do_not_fit_are_not_trusted(data: bytes) -> None:
    found = ModelFile(data).findings
    assert "IF with subgraphs that do not fit" in found.unverified
    assert find_engines(ModelFile(data)).objections["tflite-micro"] == found.objection


def looping(shape: Sequence[int] = (1,), *, truth: str = "b1", body: int = 2) -> bytes:
    """WHILE x < 10: x + 3."""
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [1]), sketch.tensor("f4", [1])
    sketch.operator("WHILE", [given], [result], {"condSubgraphIndex": 1, "bodySubgraphIndex": body})
    condition = sketch.subgraph()
    x, ten = condition.tensor("f4", [1]), condition.constant("f4", [10.0])
    is_less = condition.tensor(truth, [1])
    condition.operator("LESS" if truth == "b1" else "ADD", [x, ten], [is_less])
    condition.ends([x], [is_less])
    loop = sketch.subgraph()
    x, three = loop.tensor("f4", shape), loop.constant("f4", [3.0])
    more = loop.tensor("f4", shape)
    loop.operator("ADD", [x, three], [more])
    loop.ends([x], [more])
    return sketch.written([given], [result])


def test_a_loop_that_fits_runs() -> None:
    assert ModelFile(looping()).findings.objection is None
    assert ran(looping(), [0.0]) == [[12.0]]


@pytest.mark.parametrize(
    "data", [looping((4,)), looping(truth="f4"), looping(body=1), looping(body=7)]
)
def test_a_loop_that_does_not_fit_is_not_trusted(data: bytes) -> None:
    assert "WHILE with subgraphs that do not fit" in ModelFile(data).findings.unverified


def test_a_branch_that_writes_nothing_is_rejected() -> None:
    sketch = ModelSketch()
    given, truth = sketch.tensor("f4", [4]), sketch.constant("b1", [True])
    result = sketch.tensor("f4", [4])
    numbers = {"thenSubgraphIndex": 1, "elseSubgraphIndex": 1}
    sketch.operator("IF", [truth, given], [result], numbers)
    branch = sketch.subgraph()
    x, y = branch.tensor("f4", [4]), branch.tensor("f4", [4])
    branch.ends([x], [y])
    data = sketch.written([given], [result])
    fact = "no elements for the tensor 't1', which is an output"
    assert ModelFile(data).findings.wrong == (fact,)
    with pytest.raises(UserFileError):
        resolve_model(ModelFile(data))


def test_a_condition_that_nothing_writes_is_rejected() -> None:
    """The loop would end at once, or never."""
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [1]), sketch.tensor("f4", [1])
    sketch.operator("WHILE", [given], [result], {"condSubgraphIndex": 1, "bodySubgraphIndex": 2})
    condition, body = sketch.subgraph(), sketch.subgraph()
    x, is_true = condition.tensor("f4", [1]), condition.tensor("b1", [1])
    condition.ends([x], [is_true])
    y = body.tensor("f4", [1])
    body.ends([y], [y])
    (fact,) = ModelFile(sketch.written([given], [result])).findings.wrong
    assert fact == "no elements for the tensor 't1', which is an output"


def test_subgraphs_that_run_each_other_are_not_trusted() -> None:
    assert ModelFile(branches(thenSubgraphIndex=0)).findings.unverified == (
        "a subgraph that runs itself",
    )
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [4]), sketch.tensor("f4", [4])
    sketch.operator("ABS", [given], [result])
    for number in (2, 1):
        once = sketch.subgraph()
        once.operator("CALL_ONCE", [], [], {"initSubgraphIndex": number})
    found = ModelFile(sketch.written([given], [result])).findings
    assert found.unverified == ("a subgraph that runs itself",)


# --- variables ---------------------------------------------------------------------------------


def counting(
    read: Sequence[int] = (2,),
    *,
    first: Sequence[int] = (2,),
    name: str | None = "sum",
    handle: str = "resource",
    is_assigned: bool = True,
    is_late: bool = False,
) -> bytes:
    """The sum of all inputs so far, in a variable that a subgraph sets to 10 once."""
    sketch = ModelSketch()
    given, kept = sketch.tensor("f4", [2]), sketch.tensor("f4", read)
    variable, total = sketch.tensor(handle, []), sketch.tensor("f4", [2])
    names = {} if name is None else {"container": b"", "sharedName": name.encode()}
    sketch.operator("CALL_ONCE", [], [], {"initSubgraphIndex": 1})
    if not is_late:
        sketch.operator("VAR_HANDLE", [], [variable], names)
    sketch.operator("READ_VARIABLE", [variable], [kept])
    if is_late:
        sketch.operator("VAR_HANDLE", [], [variable], names)
    sketch.operator("ADD", [given, kept], [total])
    if is_assigned:
        sketch.operator("ASSIGN_VARIABLE", [variable, total], [])
    once = sketch.subgraph()
    if is_assigned:
        begin, variable = once.constant("f4", np.full(first, 10.0)), once.tensor("resource", [])
        once.operator("VAR_HANDLE", [], [variable], {"container": b"", "sharedName": b"sum"})
        once.operator("ASSIGN_VARIABLE", [variable, begin], [])
    return sketch.written([given], [total])


def test_a_variable_keeps_its_value_from_run_to_run() -> None:
    data = counting()
    assert ModelFile(data).findings.objection is None
    assert ran(data, [1, 2], runs=3) == [[11, 12], [12, 14], [13, 16]]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        # The library would write 400 elements, or read them, where there are 2.
        (counting(first=(400,)), "a variable of two types or shapes"),
        (counting(read=(1,)), "a variable of two types or shapes"),
        (counting(name=None), "READ_VARIABLE without a variable"),
        (counting(first=(400,), name="sum\0x"), "a variable of two types or shapes"),
        (counting(handle="i4"), "READ_VARIABLE without a variable"),
        (counting(is_assigned=False), "a variable that is read but never assigned"),
        (counting(is_late=True), "READ_VARIABLE without a variable"),
    ],
)
def test_a_variable_that_does_not_fit_is_not_trusted(data: bytes, what: str) -> None:
    found = ModelFile(data).findings
    assert what in (*found.unverified, *found.wrong)
    assert find_engines(ModelFile(data)).objections["tflite-micro"] == found.objection


def test_a_variable_goes_to_no_other_operator() -> None:
    sketch = ModelSketch()
    given, variable, result = (
        sketch.tensor("f4", [1]),
        sketch.tensor("resource", []),
        sketch.tensor("f4", [1]),
    )
    sketch.operator("VAR_HANDLE", [], [variable], {"container": b"", "sharedName": b"a"})
    sketch.operator("ADD", [given, variable], [result])
    found = ModelFile(sketch.written([given], [result])).findings
    assert "ADD of a variable" in found.unverified


@pytest.mark.parametrize("name", ["ABS", "RESHAPE"])
def test_only_variables_have_a_type_without_a_size(name: str) -> None:
    """A kernel would write to the room of one."""
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [64]), sketch.tensor("resource", [1])
    after = sketch.tensor("f4", [64])
    sketch.operator(name, [given], [result])
    sketch.operator("ABS", [result], [after])
    assert name in ModelFile(sketch.written([given], [after])).findings.unverified


def test_what_no_library_runs_safely_is_refused_with_its_name() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [4]), sketch.tensor("f4", [4])
    sketch.operator("CUSTOM", [given], [result], custom_code=b"TFLM_DECODE")
    with pytest.raises(RuneError) as caught:
        HostModel("net", ModelFile(sketch.written([given], [result])), None, lambda *_: None)
    assert caught.value.code == "R0737"
    assert "cannot verify what it writes: TFLM_DECODE" in caught.value.message
