from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.diagnostics import UserFileError
from runec.models import ModelFile
from runec.models.other_files import identify, identify_folder

Files = dict[str, bytes]


def zipped(files: Files) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(files: Files, mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def saved(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array))
    return stream.getvalue()


def field(number: int, content: bytes | int) -> bytes:
    """A field of a protobuf message, as its specification says."""

    def varint(value: int) -> bytes:
        out = bytearray()
        while value >= 0x80:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes((*out, value))

    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


MODEL = b"\x1c\0\0\0TFL3" + bytes(range(256)) * 2
WORDS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0f23\nsize 47616\n"
NODE = field(1, b"input") + field(2, b"Placeholder")
ONNX = field(1, 8) + field(2, b"pytorch") + field(7, bytes(300)) + field(8, field(2, 17))
WHOLE = (
    Path(__file__).resolve().parents[2] / "examples" / "sine" / "sinemodel.tflite"
).read_bytes()


def c_array(data: bytes) -> str:
    return f"const unsigned char g_model[] = {{{', '.join(map(hex, data))}}};"


C_ARRAY = c_array(WHOLE)

# What is in the file, words of what it is called, words of what to do.
FILES: dict[str, tuple[bytes, str, str]] = {
    "git lfs": (WORDS, "a Git LFS pointer (of a file of 47616 bytes)", "git lfs pull"),
    "git lfs, CRLF": (WORDS.replace(b"\n", b"\r\n"), "a Git LFS pointer", "git lfs pull"),
    "git annex": (b"/annex/objects/SHA256E-s4--9f.tflite\n", "git-annex pointer", "annex get"),
    "dvc": (b"outs:\n- md5: a3\n  size: 4\n  path: x.tflite\n", "a DVC pointer", "dvc pull"),
    "link": (b"../models/a.tflite", 'another file ("../models/a.tflite")', "../models/a.tflite"),
    "empty": (b"", "an empty file", "download the file again"),
    "zeros": (bytes(5000), "a file of zero bytes", "download the file again"),
    "html": (b"<!DOCTYPE html>\n<html lang=en>", "a web page (HTML)", "download the file itself"),
    "html, BOM": (b"\xef\xbb\xbf\n<HTML>", "a web page (HTML)", "download the file itself"),
    "xml": (b"<?xml version='1.0'?><Error/>", "an XML document", "download"),
    "not found": (b"404: Not Found", 'a text that begins with "404: Not Found"', "download"),
    "C array": (C_ARRAY.encode(), "C source with a model as a C array (g_model)", "--extract"),
    "C array, damaged": (
        C_ARRAY.replace("[] = {", "[9] = {").encode(),
        "C source with a damaged model as a C array (g_model): line 1: the array 'g_model' has",
        "again",
    ),
    "C array, cut short": (
        c_array(WHOLE[:1000]).encode(),
        "C source with a damaged model as a C array (g_model): the model is damaged",
        "",
    ),
    "C": (b"#include <stdio.h>\nint main(void) { return 0; }\n", "without a model's array", "name"),
    "base64": (base64.b64encode(MODEL), "as base64 text", "base64 -d FILE"),
    "hex": (MODEL.hex().encode(), "hexadecimal text", "xxd -r -p FILE"),
    "gzip": (gzip.compress(MODEL), "gzip file that holds a TensorFlow Lite model", "gunzip"),
    "gzip, other": (gzip.compress(b"words"), "a gzip file", "gunzip"),
    "tar.gz": (tarred({"a.tflite": MODEL}, "w:gz"), "a tar archive (.tar.gz)", "unpack"),
    "tar": (tarred({"a.tflite": MODEL}), "a tar archive", "unpack"),
    "bzip2": (bz2.compress(MODEL), "a bzip2 file", "unpack"),
    "xz": (lzma.compress(MODEL), "an xz file", "unpack"),
    "zip": (zipped({"a/b.tflite": MODEL}), "a ZIP archive that holds a/b.tflite", "a/b.tflite"),
    "zip, other": (zipped({"a": b""}), "a ZIP archive", "unpack"),
    "zip, cut short": (
        zipped({"a.tflite": MODEL})[:90],
        "ZIP archive that holds a.tflite",
        "unpack",
    ),
    "keras": (zipped({"config.json": b"", "metadata.json": b""}), "(.keras)", "from_keras_model"),
    "pytorch": (
        zipped({"net/data.pkl": b"", "net/version": b""}),
        "a PyTorch model",
        "litert-torch",
    ),
    "saved model.zip": (zipped({"m/saved_model.pb": b""}), "SavedModel", "from_saved_model"),
    "npz": (zipped({"w.npy": b""}), "NumPy arrays (.npz)", "model's own file"),
    "h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "Keras .h5 model", "from_keras_model"),
    "pickle": (pickle.dumps({"a": [1]}), "a Python pickle", "ONNX"),
    "npy": (saved([1.0, 2.0]), "a NumPy array", "model's own file"),
    "onnx": (ONNX, "an ONNX model", "onnx2tf"),
    "onnx, long": (field(1, 8) + field(7, bytes(200_000)), "an ONNX model", "onnx2tf"),
    "onnx, operators' versions": (
        field(1, 1) + field(8, field(2, 13)),
        "an ONNX model",
        "onnx2tf",
    ),
    "onnx, its head": (
        field(1, 8) + field(2, b"pytorch") + field(3, b"2.1"),
        "an ONNX model",
        "onnx2tf",
    ),
    "saved_model.pb": (field(1, 1) + field(2, bytes(99)), "a TensorFlow SavedModel", "from_saved"),
    "graph.pb": (
        field(1, NODE) + field(1, NODE) + field(4, b""),
        "frozen TensorFlow graph",
        "convert",
    ),
    "core ml": (field(1, 4) + field(2, b"words") + field(500, b"net"), "a Core ML model", "use"),
    "caffe": (field(1, b"LeNet") + field(100, b"layer"), "a Caffe model", "use"),
    "gguf": (b"GGUF\x03\0\0\0" + bytes(64), "GGUF", "use"),
    "safetensors": (struct.pack("<Q", 16) + b'{"a":{"dtype":1}}', "safetensors", "use"),
    "ort": (b"\x18\0\0\0ORTM" + bytes(64), "ONNX Runtime", "onnx2tf"),
    "executorch": (b"\x18\0\0\0ET12" + bytes(64), "ExecuTorch", "litert-torch"),
    "2017": (b"\x18\0\0\0TFL2" + bytes(64), "of 2017 (TFL2)", "convert"),
    "big endian": (b"\0\0\0\x1cTFL3" + bytes(64), "big-endian byte order", "little-endian"),
    "words of 4": (b"\0\0\0\x1c3LFT" + bytes(64), "reversed in words of 4", "little-endian"),
    "words of 2": (b"\0\x1c\0\0FT3L" + bytes(64), "swapped in words of 2", "little-endian"),
    "behind others": (b"\x01\x02\x03" + MODEL, "behind 3 other bytes", "tail -c +4 FILE"),
    "tfjs": (json.dumps({"modelTopology": {}}).encode(), "TensorFlow.js model", "tensorflowjs"),
    "tfjs, long": (
        b'{"modelTopology": {' + b" " * (5 << 20),
        "TensorFlow.js model",
        "tensorflowjs",
    ),
    "keras json": (b'{"class_name": "Model", "config": {}}', "architecture of a Keras", "weights"),
    "notebook": (b'{"cells": [], "nbformat": 4}', "a Jupyter notebook", "run it"),
    "json": (b'{"message": "Not Found"}', "a JSON document", "download"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture", "model's own file"),
    "wav": (b"RIFF\x24\0\0\0WAVEfmt ", "a WAV recording", "model's own file"),
    "rune": (b"\0asm\x01\0\0\0", "such as a .rune", "holds its models"),
    "elf": (b"\x7fELF\x02\x01\x01" + bytes(64), "a program (ELF)", "model's own file"),
    "intel hex": (b":020000040000FA\r\n:10000000C0", "Intel HEX", "model's own file"),
    "utf-16": ("words".encode("utf-16"), "text in UTF-16", "PowerShell"),
    "python": (b"import tensorflow as tf\nx = 1\n", "a script", "run it"),
    "shell": (b"#!/bin/sh\nwget x\n", "a script", "run it"),
    "runefile": (b"version: 1\nimage: runicos/base\n", "a Runefile", ".tflite file that it uses"),
    "text": (b"caf\xc3\xa9 " * 99, 'begins with "caf\u00e9', "again"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_named_with_what_to_do(name: str) -> None:
    data, what, todo = FILES[name]
    with pytest.raises(UserFileError) as caught:
        _ = ModelFile(data).info
    assert caught.value.code == "R0310"
    assert caught.value.message.startswith("this is not a TensorFlow Lite model, but ")
    assert what in caught.value.message
    assert todo in str(caught.value.hint)


def test_a_hex_dump_is_named() -> None:
    dump = subprocess.run(
        ["od", "-A", "x", "-t", "x1"], input=MODEL, capture_output=True, check=True
    )
    found = identify(dump.stdout, "a b.txt")
    assert found is not None
    assert found.what == "a hex dump of a TensorFlow Lite model"
    assert "'a b.txt'" in found.hint


def test_only_what_stands_for_a_model_holds_none_of_any_format() -> None:
    names = {
        name
        for name, (data, *_) in FILES.items()
        if (found := identify(data)) and found.holds_nothing
    }
    assert names == {
        *("git lfs", "git lfs, CRLF", "git annex", "dvc", "link"),
        *("empty", "zeros", "html", "html, BOM", "xml"),
    }


@pytest.mark.parametrize("data", [b"\x01\x02\x03\x04\x05\x06\x07\x08" * 9, b"\xff" * 64, b"\x80"])
def test_what_is_unknown_is_not_guessed(data: bytes) -> None:
    assert identify(data) is None
    with pytest.raises(UserFileError, match="its bytes 4 to 7 are not 'TFL3'"):
        _ = ModelFile(data).info


def test_a_file_of_no_known_content_is_named_by_its_suffix() -> None:
    for data in (b"\x08\x07", b"\0\1\2\3" * 8):
        assert identify(data, "net.tflite") is None
        found = identify(data, "folder/Net.ONNX")
        assert found is not None
        assert found.what == "an ONNX model"
    empty = identify(b"", "net.onnx")
    assert empty is not None
    assert empty.what == "an empty file"


def test_a_model_is_none_of_these(sine: bytes) -> None:
    # With metadata, a model ends with a ZIP archive.
    assert ModelFile(sine + zipped({"labels.txt": b"a"})).info.operator_count == 3


@pytest.mark.parametrize(
    ("name", "what", "todo"),
    [
        ("saved_model.pb", "a folder, a TensorFlow SavedModel", "from_saved_model"),
        ("model.json", "a folder, a TensorFlow.js model", "tensorflowjs_converter"),
        ("net.tflite", "a folder", "net.tflite"),
        ("other", "a folder", "name a .tflite file"),
    ],
)
def test_a_folder_is_named(tmp_path: Path, name: str, what: str, todo: str) -> None:
    (tmp_path / name).write_bytes(b"")
    found = identify_folder(tmp_path)
    assert found.what == what
    assert todo in found.hint
    assert (found.format is not None) == (what != "a folder")


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([*FILES]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.integers(0, 600),
)
def test_mutated_files_are_named_or_not_but_never_crash(
    name: str, changes: list[tuple[int, int]], size: int
) -> None:
    data = bytearray(FILES[name][0][:size])
    for at, byte in changes:
        if at < len(data):
            data[at] = byte
    found = identify(bytes(data))
    assert found is None or (found.what and found.hint)
