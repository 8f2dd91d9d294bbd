from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from runec import files
from runec.container import Graph, GraphCapability
from runec.diagnostics import Diagnostic, RuneError, UserFileError, render
from runec.pipeline import CapabilityKind, ElementType, TensorType
from runec.vm import InputReader, Inputs, MissingInputError
from runec.vm.splitmix64 import SplitMix64
from tests.originals import EXAMPLES, HOTG, needing

RAW, RAND, ACCEL = CapabilityKind.RAW, CapabilityKind.RAND, CapabilityKind.ACCEL


def test_the_generator_is_splitmix64() -> None:
    # The first outputs for the seed 1234567 that the algorithm's published C code gives.
    generator = SplitMix64(1234567)
    assert [generator.next() for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize(
    "element", [ElementType.F32, ElementType.F64, ElementType.I8, ElementType.U32, None]
)
def test_many_random_elements_are_those_that_come_one_by_one(
    element: ElementType | None,
) -> None:
    many, single = SplitMix64(7), SplitMix64(7)
    count = 2**16 + 5  # a part that NumPy makes, and the rest
    found = many.elements(count, element)
    assert found == b"".join(single.elements(1, element) for _ in range(count))
    assert many.next() == single.next()


@pytest.mark.parametrize("element", [ElementType.F32, ElementType.F64])
def test_random_floats_lie_from_0_to_below_1(element: ElementType) -> None:
    size = element.size_bytes
    data = InputReader(Inputs(random_seed=3)).provide(RAND, {}, 1000 * size, element)
    values = np.frombuffer(data, "<f4" if size == 4 else "<f8")
    assert len(values) == 1000
    assert values.min() >= 0
    assert values.max() < 1
    assert 0.45 < values.mean() < 0.55


@pytest.mark.parametrize("element", [e for e in ElementType if e.is_integer])
def test_random_integers_use_their_whole_range(element: ElementType) -> None:
    data = InputReader(Inputs()).provide(RAND, {}, 1000 * element.size_bytes, element)
    values = np.frombuffer(data, f"<{element.value[0]}{element.size_bytes}").astype(float)
    limits = np.iinfo(f"{element.value[0]}{element.size_bytes}")
    span = float(limits.max) - float(limits.min)
    assert values.min() < limits.min + 0.02 * span
    assert values.max() > limits.max - 0.02 * span


def test_random_bytes_without_a_type_fill_any_length() -> None:
    assert len(InputReader(Inputs()).provide(RAND, {}, 13, None)) == 13


def test_the_default_seed_is_0() -> None:
    assert InputReader(Inputs()).provide(RAND, {}, 8, None) == InputReader(
        Inputs(random_seed=0)
    ).provide(RAND, {}, 8, None)


@pytest.mark.parametrize(("length", "element"), [(8, ElementType.UTF8), (7, ElementType.F32)])
def test_random_data_of_no_whole_elements_is_refused(length: int, element: ElementType) -> None:
    with pytest.raises(RuneError) as caught:
        InputReader(Inputs()).provide(RAND, {}, length, element)
    assert caught.value.code == "R0705"


RECORDINGS = {
    "commas": "1,2.5,-3e-2\n4,5,6\n",
    "no last newline": "1,2.5,-3e-2\n4,5,6",
    "windows": "1,2.5,-3e-2\r\n4,5,6\r\n",
    "semicolons": "1;2.5;-3e-2\n4;5;6\n",
    "tabs": "1\t2.5\t-3e-2\n4\t5\t6\n",
    "spaces around": " 1 , 2.5 , -3e-2 \n 4 , 5 , 6 \n",
    "a header": "x,y,z\n1,2.5,-3e-2\n4,5,6\n",
    "a byte order mark": "\ufeff1,2.5,-3e-2\n4,5,6\n",
    "empty lines": "\n1,2.5,-3e-2\n\n4,5,6\n\n",
    "decimal commas": "1;2,5;-3e-2\n4;5;6\n",
    "decimal commas in quotes": '1,"2,5",-3e-2\n"4","5","6"\n',
    "decimal commas, tabs": "1\t2,5\t-3e-2\n4,0\t5,0\t6,0\n",
    "quotes": '"1","2.5","-3e-2"\n"4","5","6"\n',
    "spaces": "  1 2.5   -3e-2\n4 5 6 \n",
    "spaces and decimal commas": "1,0 2,5 -3e-2\n4 5 6\n",
    "a comma at each end": "1,2.5,-3e-2,\n4,5,6,\n",
    "a comma at each end, a header": "x,y,z,\n1,2.5,-3e-2,\n4,5,6,\n",
    "a header without it": "x,y,z\n1,2.5,-3e-2,\n4,5,6,\n",
    "rows of separators at the end": "1;2.5;-3e-2\n4;5;6\n;;\n;;\n",
    "carriage returns": "x,y,z\r1,2.5,-3e-2\r4,5,6\r",
    "comments": "# by a logger\nx,y,z\n% 50 Hz\n1,2.5,-3e-2\n// 2\n4,5,6\n",
    "excel": "sep=;\nx;y;z\n1;2,5;-3e-2\n4;5;6\n",
    "another separator of excel": "sep=|\n1|2.5|-3e-2\n4|5|6\n",
    "units": "x,y,z\nm/s²,m/s²,m/s²\n1,2.5,-3e-2\n4,5,6\n",
    "remarks": "Rate: 50 Hz\nDevice: a, b\nx,y,z\n1,2.5,-3e-2\n4,5,6\n",
    "a time": "timestamp,accX,accY,accZ\n0,1,2.5,-3e-2\n20,4,5,6\n",
    "a time at the end": "ax,ay,az,t\n1,2.5,-3e-2,0\n4,5,6,0.02\n",
    "a time beside unknown names": "time,a,b,c\n0,1,2.5,-3e-2\n20,4,5,6\n",
    "a date": "date;x;y;z\n2026-01-01 00:00:00,00;1;2,5;-3e-2\n2026-01-01 00:00:00,02;4;5;6\n",
    "an index": ",x,y,z\n0,1,2.5,-3e-2\n1,4,5,6\n",
    "a label": "what,x,y,z\nup,1,2.5,-3e-2\nup,4,5,6\n",
    "two sensors": "accX,accY,accZ,gyrX,gyrY,gyrZ\n1,2.5,-3e-2,7,8,9\n4,5,6,7,8,9\n",
    "other names": "X-Axis,Y-Axis,Z-Axis,Sum\n1,2.5,-3e-2,7\n4,5,6,7\n",
    "axis first": "x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro\n1,2.5,-3e-2,7,8,9\n4,5,6,7,8,9\n",
    "a minus sign": "x,y,z\n1,2.5,\u22123e-2\n4,5,6\n",
    "a minus sign between spaces": "1 2.5 \u22123e-2\n4 5 6\n",
    "a square": "x m/s2,y m/s2,z m/s2\n1,2.5,-3e-2\n4,5,6\n",
    "a second sensor of another kind": "x1,y1,z1,gx2,gy2,gz2\n1,2.5,-3e-2,7,8,9\n4,5,6,7,8,9\n",
    "fractions of three digits": "1,000;2,500;-0,030\n4,000;5,000;6,000\n",
    "no names of axes": "a,b,c\n1,2.5,-3e-2\n4,5,6\n",
}


@pytest.mark.parametrize("what", RECORDINGS)
def test_recordings_are_read_in_many_forms(tmp_path: Path, what: str) -> None:
    path = tmp_path / "recording.csv"
    path.write_bytes(RECORDINGS[what].encode())
    warned: list[Diagnostic] = []
    inputs = Inputs(accelerometer=(path,), warn=warned.append)
    data = InputReader(inputs).provide(ACCEL, {"n": 2, "hz": 50}, 24, ElementType.F32)
    assert data == struct.pack("<6f", 1, 2.5, -3e-2, 4, 5, 6)
    assert warned == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_recordings_are_read_in_the_encodings_of_spreadsheets(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "recording.csv"
    path.write_bytes("x in m/s²;y;z\r\n1;2,5;-3\r\n".encode(encoding))
    reader = InputReader(Inputs(accelerometer=(path,)))
    data = reader.provide(ACCEL, {"n": 1}, 12, ElementType.F32)
    assert data == struct.pack("<3f", 1, 2.5, -3)


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ('"1,234","2,345","-3,456"\n', True),
        ("1,234;2,345;3,456\n", True),
        ("1,234;12;-345,678\n", True),
        ("1,234;2,345;3,45\n", False),
        ("0,234;2,345;3,456\n", False),
        ("1,234;2,345;3,456\n1234,567;1;1\n", False),
        ("1;2;3\n", False),
        ("1.234,2.345,3.456\n", False),
    ],
)
def test_a_comma_that_may_be_between_thousands_is_warned_of(
    tmp_path: Path, text: str, is_open: bool
) -> None:
    path = tmp_path / "recording.csv"
    path.write_text(text)
    warned: list[Diagnostic] = []
    InputReader(Inputs(accelerometer=(path,), warn=warned.append)).provide(ACCEL, {}, 12, None)
    assert [warning.code for warning in warned] == ["R0750"] * is_open
    if is_open:
        assert "may be thousands" in render(warned[0])


def test_columns_in_another_order_are_taken_by_name_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "recording.csv"
    path.write_text("time,seconds_elapsed,z,y,x\n17000,0.0,3,2,1\n17020,0.02,6,5,4\n")
    warned: list[Diagnostic] = []
    feed = InputReader(Inputs(accelerometer=(path,), warn=warned.append))
    assert feed.provide(ACCEL, {}, 24, None) == struct.pack("<6f", 1, 2, 3, 4, 5, 6)
    (warning,) = warned
    assert warning.code == "R0747"
    assert "x from column 5, y from column 4, z from column 3" in warning.message


@pytest.mark.parametrize(
    ("head", "times", "rate"),
    [
        ("time_ms", (0, 20, 40), None),
        ("time_ms", (0, 21, 40), None),
        ("timestamp", (0, 20000, 40000), None),
        ("elapsed (s)", (0, 0.02, 0.04), None),
        ("t", (0, 0.01, 0.02), "100"),
        ("time_ms", (0, 16, 32), "62.5"),
        ("elapsed (s)", (0, 20, 40), "0.05"),
        ("date", ("2026-03-01T10:00:00.0", "2026-03-01T10:00:00.1"), "10"),
        ("date", ("yesterday", "today"), None),
    ],
)
def test_the_times_of_a_recording_are_compared_with_the_rate(
    tmp_path: Path, head: str, times: tuple[object, ...], rate: str | None
) -> None:
    path = tmp_path / "recording.csv"
    path.write_text("\n".join((f"{head},x,y,z", *(f"{time},1,2,3" for time in times))))
    warned: list[Diagnostic] = []
    feed = InputReader(Inputs(accelerometer=(path,), warn=warned.append))
    assert feed.provide(ACCEL, {"hz": 50}, 12, None) == struct.pack("<3f", 1, 2, 3)
    if rate is None:
        assert warned == []
        return
    (warning,) = warned
    assert warning.code == "R0746"
    assert f"has {rate} samples a second" in warning.message
    # Without hz it is the default of docs/inputs.md, 50 Hz.
    assert InputReader(feed.inputs).provide(ACCEL, {}, 12, None) == struct.pack("<3f", 1, 2, 3)
    assert warned == [warning, warning]


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("accX (g),accY (g),accZ (g)", "in g,"),
        ("x,y,z\ng,g,g", "in g,"),
        ("x;y;z\n[mG];[mG];[mG]", "in mg,"),
        ("t,x_g,y_g,z_g", "in g,"),
        ("gyrX,gyrY,gyrZ", "as another quantity than acceleration"),
        ("x_gyro,y_gyro,z_gyro", "as another quantity than acceleration"),
        ("x (deg/s),y (deg/s),z (deg/s)", "in deg/s,"),
        ("x,y,z\n°/s,°/s,°/s", "in °/s,"),
        ("magX,magY,magZ", "as another quantity than acceleration"),
        ("accX,accY,accZ\nm/s²,m/s²,m/s²", None),
        ("ax (m/s^2),ay (m/s^2),az (m/s^2)", None),
        ("ax_g,ay_g,az_g,gx,gy,gz", "in g,"),
        ("accX,accY,accZ,gyrX,gyrY,gyrZ", None),
        ("magnitude x,y,z", None),
        ("x,y,z\nraw,raw,raw", None),
        ("x,y,z\nlog,dog,gag", None),
    ],
)
def test_units_that_are_not_converted_are_warned_of(
    tmp_path: Path, head: str, what: str | None
) -> None:
    path = tmp_path / "recording.csv"
    separator = ";" if ";" in head else ","
    columns = 1 + head.partition("\n")[0].count(separator)
    row = separator.join(map(str, range(columns)))
    path.write_text(f"{head}\n{row}\n")
    warned: list[Diagnostic] = []
    InputReader(Inputs(accelerometer=(path,), warn=warned.append)).provide(ACCEL, {}, 12, None)
    assert [each.code for each in warned] == ([] if what is None else ["R1118"])
    if what is not None:
        assert what in warned[0].message
        assert "ACCEL is in m/s²: the numbers are not converted" in warned[0].message


@pytest.mark.parametrize("text", ["1e39", "-1e400", "340282356779733661637539395458142568448"])
def test_a_number_past_f32_is_named_as_such(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recording.csv"
    path.write_text(f"1,2,{text}\n")
    with pytest.raises(UserFileError) as caught:
        InputReader(Inputs(accelerometer=(path,))).provide(ACCEL, {}, 12, None)
    assert caught.value.message == f"'{text}' is out of the range of f32"


@pytest.mark.parametrize("row", ["0,1,2,3", "0.02,1,2,3", "2026-01-01T00:00:00,1,2,3", "0;1;2;3"])
def test_a_time_without_a_name_is_refused_with_what_to_do(tmp_path: Path, row: str) -> None:
    path = tmp_path / "recording.csv"
    path.write_text(f"{row}\n{row}\n")
    with pytest.raises(UserFileError) as caught:
        InputReader(Inputs(accelerometer=(path,))).provide(ACCEL, {}, 12, None)
    assert "name the columns in the first row, for example timestamp,x,y,z" in str(
        caught.value.hint
    )


def test_of_a_longer_recording_the_first_rows_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "recording.csv"
    path.write_text("1,1,1\n2,2,2\n3,3,3\n")
    feed = InputReader(Inputs(accelerometer=(path,)))
    assert feed.provide(ACCEL, {}, 12, None) == struct.pack("<3f", 1, 1, 1)
    assert feed.provide(ACCEL, {}, 24, None) == struct.pack("<6f", 1, 1, 1, 2, 2, 2)


def test_a_shorter_recording_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = tmp_path / "recording.csv"
    path.write_text("1,1,1\n2,2,2\n")
    with pytest.raises(UserFileError) as caught:
        InputReader(Inputs(accelerometer=(path,))).provide(ACCEL, {}, 128 * 12, ElementType.F32)
    assert caught.value.code == "R0702"
    assert "Requested 128 rows but only 2 were provided" in caught.value.message


BROKEN_RECORDINGS = {
    "x,y,z\n1,2\n": (2, 1, "this row has 2 numbers instead of 3"),
    "1,2,3\n1,2,3,4\n": (2, 1, "this row has 4 numbers instead of 3"),
    "1,2,3\n4,five,6\n": (2, 3, "'five' is not a number"),
    "1,2,3\n4,,6\n": (2, 3, "'' is not a number"),
    "1,2,nan\n": (1, 5, "'nan' is not a number"),
    "1,2,1e39\n": (1, 5, "'1e39' is out of the range of f32"),
    "1,2,1_2\n": (1, 5, "'1_2' is not a number"),
    "1,2,1e5_0\n": (1, 5, "'1e5_0' is not a number"),
    "infinity,2,3\n": (1, 1, "'infinity' is not a number"),
    "x,y,z\n\u0661,2,3\n": (2, 1, "'\u0661' is not a number"),
    "1,\uff12,3\n": (1, 3, "'\uff12' is not a number"),
    "1, 0x10,3\n": (1, 4, "'0x10' is not a number"),
    "1,5,2,5,-3,5\n": (1, 1, "this row has 6 numbers instead of 3"),
    "1,2,3\r4,5\r": (2, 1, "this row has 2 numbers instead of 3"),
    "0,1,2,3\n": (1, 1, "this row has 4 numbers instead of 3"),
    "1.5;2,5;3\n": (1, 5, "'2,5' has a decimal comma, numbers before it have a decimal point"),
    '1,"2,3\n': (1, 3, "'\"2' is not a number"),
    '"1",2,"3\n': (1, 7, "'\"3' is not a number"),
    "1,2,3\n,,\n4,5,6\n": (2, 1, "'' is not a number"),
    "time,x,y\n0,1,2\n": (1, 1, "one of these three columns is a time"),
    "a,b,c,d,e\n1,2,3,4,5\n": (1, 1, "x, y and z cannot be identified in these 5 columns"),
    "time,x,y,z\n0,1,2\n": (2, 1, "this row has 3 fields instead of 4"),
    "accX,accY,accZ,accX\n1,2,3,4\n": (1, 1, "cannot be identified in these 4 columns"),
    "x1,y1,z1,x2,y2,z2\n1,2,3,4,5,6\n": (
        1,
        1,
        "2 groups of columns: 'x1', 'y1', 'z1' (columns 1, 2, 3)",
    ),
    "x,y,z,x2,y2,z2\n1,2,3,4,5,6\n": (
        1,
        1,
        "'z' (columns 1, 2, 3); 'x2', 'y2', 'z2' (columns 4, 5, 6)",
    ),
    "x_a,y_a,z_a,x_g,y_g,z_g\n1,2,3,4,5,6\n": (
        1,
        1,
        "2 groups of columns: 'x_a', 'y_a', 'z_a' (columns 1",
    ),
    "sample,x,y\n1,2,3\n": (1, 1, "in these 3 columns: 'sample', 'x', 'y'"),
    "sample,x,y\nn,g,g\n1,2,3\n": (1, 1, "in these 3 columns: 'sample', 'x', 'y'"),
    "x,y,temperature\n1,2,3\n": (1, 1, "in these 3 columns: 'x', 'y', 'temperature'"),
    ",a,b\n1,2,3\n": (1, 1, "in these 3 columns: '', 'a', 'b'"),
    "index,a,b\n1,2,3\n": (1, 1, "in these 3 columns: 'index', 'a', 'b'"),
    "time,sample,a,b\n1,2,3,4\n": (1, 1, "in these 4 columns: 'time', 'sample'"),
    "x,y,z\n\u20131,\u20132,\u20133\n1,2,3\n": (2, 1, "'\u20131' is not a number"),
    "x,y,z\nnull,null,null\n1,2,3\n": (2, 1, "'null' is not a number"),
    "N/A,N/A,N/A\n1,2,3\n": (1, 1, "'N/A' is not a number"),
    "x,y,z\n#N/A,#N/A,#N/A\n1,2,3\n": (2, 1, "'#N/A' is not a number"),
    "'1,'2,'3\n4,5,6\n": (1, 1, '"\'1" is not a number'),
    "magX,magY,magZ,gyrX,gyrY,gyrZ\n1,2,3,4,5,6\n": (1, 1, "none of 2 groups of columns is"),
}


@pytest.mark.parametrize("text", BROKEN_RECORDINGS)
def test_a_broken_recording_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    line, column, message = BROKEN_RECORDINGS[text]
    path = tmp_path / "recording.csv"
    path.write_bytes(text.encode())
    with pytest.raises(UserFileError) as caught:
        InputReader(Inputs(accelerometer=(path,))).provide(ACCEL, {}, 12, ElementType.F32)
    assert caught.value.code == "R0703"
    assert message in caught.value.message
    assert f"recording.csv:{line}:{column}" in render(caught.value.diagnostics[0])


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", "1,2,3\n".encode("utf-16-le"), b"\x89PNG\x01"])
def test_a_recording_that_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "recording.csv"
    path.write_bytes(data)
    with pytest.raises(UserFileError) as caught:
        InputReader(Inputs(accelerometer=(path,))).provide(ACCEL, {}, 12, ElementType.F32)
    assert caught.value.code == "R0703"


@pytest.mark.parametrize(("length", "element"), [(13, None), (12, ElementType.I16)])
def test_accelerometer_data_of_another_shape_is_refused(
    tmp_path: Path, length: int, element: ElementType | None
) -> None:
    path = tmp_path / "recording.csv"
    path.write_text("1,2,3\n")
    with pytest.raises(RuneError) as caught:
        InputReader(Inputs(accelerometer=(path,))).provide(ACCEL, {}, length, element)
    assert caught.value.code == "R0705"


OWN_AND_ORIGINAL = [
    *(EXAMPLES / "gesture" / name for name in ("input.csv", "inputs/huge.csv")),
    *(
        pytest.param(HOTG / name, marks=needing(name))
        for name in ("gesture/example_ring.csv", "gesture/example_wing.csv")
    ),
]


@pytest.mark.parametrize("path", OWN_AND_ORIGINAL)
def test_recordings_of_128_rows_pass_as_numpy_reads_them(path: Path) -> None:
    data = InputReader(Inputs(accelerometer=(path,))).provide(
        ACCEL, {"n": 128}, 1536, ElementType.F32
    )
    expected = np.loadtxt(path, delimiter=",", dtype=np.float64).astype("<f4")
    assert expected.shape == (128, 3)
    assert data == expected.tobytes()


def test_raw_data_passes_as_it_is_and_again_the_same(tmp_path: Path) -> None:
    path = tmp_path / "input.bin"
    path.write_bytes(bytes(range(256)))
    feed = InputReader(Inputs(raw=(path,)))
    assert feed.provide(RAW, {}, 256, ElementType.U8) == bytes(range(256))
    assert feed.provide(RAW, {}, 256, None) == bytes(range(256))


def test_with_a_length_the_first_bytes_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "input.bin"
    path.write_bytes(bytes(range(8)))
    feed = InputReader(Inputs(raw=(path,)))
    assert feed.provide(RAW, {"length": 4}, 4, ElementType.U8) == bytes(range(4))
    with pytest.raises(UserFileError) as caught:
        feed.provide(RAW, {"length": 16}, 16, ElementType.U8)
    assert "Requested 16 bytes but only 8 were provided" in caught.value.message
    with pytest.raises(UserFileError):
        feed.provide(RAW, {}, 4, ElementType.U8)


@pytest.mark.parametrize(
    ("element", "bits"), [(ElementType.F32, ElementType.U32), (ElementType.F64, ElementType.U64)]
)
def test_random_bits_of_floats_are_those_of_integers(
    element: ElementType, bits: ElementType
) -> None:
    length = 100 * element.size_bytes
    found = InputReader(Inputs(random_seed=5, random_bits=True)).provide(RAND, {}, length, element)
    assert found == InputReader(Inputs(random_seed=5)).provide(RAND, {}, length, bits)
    assert found != InputReader(Inputs(random_seed=5)).provide(RAND, {}, length, element)


@pytest.mark.parametrize("kind", CapabilityKind)
def test_no_request_is_larger_than_a_rune_can_be(kind: CapabilityKind) -> None:
    with pytest.raises(RuneError) as caught:
        InputReader(Inputs()).provide(kind, {}, 2**26 + 8, None)
    assert caught.value.code == "R0705"


@pytest.mark.parametrize("source", [-1, 0.5])
def test_a_source_that_is_no_number_of_a_file_is_refused(source: float) -> None:
    with pytest.raises(RuneError) as caught:
        InputReader(Inputs()).provide(RAW, {"source": source}, 4, None)
    assert caught.value.code == "R0705"


@pytest.mark.parametrize("kind", CapabilityKind)
@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 1e308, 2**64])
def test_a_parameter_that_no_arithmetic_bears_is_refused(
    kind: CapabilityKind, value: float
) -> None:
    for name in ("sample_duration_ms", "sample_duration", "pixel_format", "width", "hz"):
        with pytest.raises(RuneError) as caught:
            InputReader(Inputs()).provide(kind, {name: value}, 24, None)
        assert caught.value.code == "R0705"
        assert name in caught.value.message


@pytest.mark.parametrize("kind", CapabilityKind)
def test_a_request_for_less_than_nothing_is_refused(kind: CapabilityKind) -> None:
    with pytest.raises(RuneError) as caught:
        InputReader(Inputs()).provide(kind, {}, -12, None)
    assert caught.value.code == "R0705"


@pytest.mark.parametrize("kind", [RAW, RAND, ACCEL])
def test_a_request_for_all_memory_is_refused(kind: CapabilityKind) -> None:
    with pytest.raises(RuneError) as caught:
        InputReader(Inputs()).provide(kind, {}, 2**26 + 8, None)
    assert caught.value.code == "R0705"
    assert "more than 67108864" in caught.value.message


def test_what_was_checked_before_a_run_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "input.bin"
    path.write_bytes(b"abcd")
    graph = Graph(
        abi=1,
        name="two",
        code_bytes=8,
        code_sha256="0" * 64,
        memory_used=1024,
        memory_stack=512,
        stages=("raw", "random"),
        capabilities={
            "raw": GraphCapability(1, RAW, {}, 0),
            "random": GraphCapability(2, RAND, {}, 1),
        },
        proc_blocks={},
        models={},
        outputs={},
        resources={},
        tensors=(TensorType(ElementType.U8, (4,)), TensorType(ElementType.U64, (1,))),
    )
    reads: list[Path] = []
    read = files.read_regular

    def counted(path: Path, *arguments: int) -> bytes:
        reads.append(path)
        return read(path, *arguments)

    monkeypatch.setattr(files, "read_regular", counted)
    feed = InputReader(Inputs(raw=(path,)))
    feed.check(graph)
    assert feed.taken == frozenset(), "nothing has asked yet"
    assert [feed.provide(RAW, {}, 4, ElementType.U8) for _ in range(2)] == [b"abcd"] * 2
    assert reads == [path]
    first = SplitMix64(0).next().to_bytes(8, "little")
    assert feed.provide(RAND, {}, 8, ElementType.U64) == first, "a check takes no random numbers"
    with pytest.raises(MissingInputError):
        InputReader(Inputs()).check(graph)
    InputReader(Inputs()).check(graph, may_lack={RAW})
