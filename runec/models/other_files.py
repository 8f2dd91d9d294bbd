"""Identification of files that are not TensorFlow Lite models, with hints for a conversion.

Signatures are those of the formats' own specifications. Nothing is executed and no archive is
unpacked; of compressed data at most the first block is looked at.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from runec.diagnostics import UserFileError
from runec.models.c_source import extract_model, model_names
from runec.models.pointers import OtherFile, pointer

_CONVERT = "convert it with TensorFlow's TFLiteConverter and name the .tflite file"
_FROM_KERAS = (
    "convert it: tf.lite.TFLiteConverter.from_keras_model(tf.keras.models.load_model(FILE)), "
    "and name the .tflite file that its convert() returns"
)
_FROM_SAVED_MODEL = (
    "convert it: tf.lite.TFLiteConverter.from_saved_model(FOLDER), "
    "and name the .tflite file that its convert() returns"
)
_FROM_TORCH = "export it with litert-torch (ai-edge-torch) or through ONNX, and name the .tflite"
_FROM_ONNX = "convert it with onnx2tf, and name the .tflite file"
_FROM_JS = (
    "convert it with tensorflowjs_converter to a Keras model or SavedModel, and that with "
    "TFLiteConverter"
)
_AGAIN = "copy or download the file again"
_THE_MODEL = "name the model's own file"
_UNPACK = "unpack it and name the .tflite file in it"
_NO_WAY = "use the .tflite file of the same model, or convert the model that it was made from"

_HEAD_BYTES = 64 * 1024
_TEXT_HEAD_BYTES = 4096
_JSON_BYTES_MAX = 4 * 1024 * 1024
_ZIP_ENTRIES_MAX = 2000
_PROTOBUF_FIELDS_MAX = 10_000
_QUOTED = 40
_UNNAMED = "FILE"


# Signatures at the start of a file.
_SIGNATURES: tuple[tuple[bytes, OtherFile], ...] = (
    (b"\x89HDF\r\n\x1a\n", OtherFile("an HDF5 file, such as a Keras .h5 model", _FROM_KERAS)),
    (b"GGUF", OtherFile("a GGUF language model of llama.cpp", _NO_WAY)),
    (b"lmgg", OtherFile("a GGML model", _NO_WAY)),
    (b"tjgg", OtherFile("a GGML model", _NO_WAY)),
    (b"RKNN", OtherFile("a model compiled for Rockchip's NPUs (RKNN)", _NO_WAY)),
    (b"LDMK", OtherFile("a model compiled for the Kendryte K210 (kmodel)", _NO_WAY)),
    (b"\x03\0\0\0KMDL", OtherFile("a model compiled for the Kendryte K210 (kmodel)", _NO_WAY)),
    (b"7767517\n", OtherFile("the parameters of an ncnn model", _NO_WAY)),
    (b"\x93NUMPY", OtherFile("a NumPy array (.npy)", _THE_MODEL)),
    (b"\0asm", OtherFile("WebAssembly, such as a .rune", "a .rune holds its models already")),
    (b"\x7fELF", OtherFile("a program (ELF)", _THE_MODEL)),
    (b"\x89PNG\r\n\x1a\n", OtherFile("a PNG picture", _THE_MODEL)),
    (b"\xff\xd8\xff", OtherFile("a JPEG picture", _THE_MODEL)),
    (b"GIF8", OtherFile("a GIF picture", _THE_MODEL)),
    (b"RIFF", OtherFile("a RIFF file, such as a WAV recording", _THE_MODEL)),
    (b"%PDF-", OtherFile("a PDF document", _THE_MODEL)),
    (b"UF2\n", OtherFile("a firmware image (UF2)", _THE_MODEL)),
    (b"SQLite format 3\0", OtherFile("an SQLite database", _THE_MODEL)),
    (b"!<arch>\n", OtherFile("a library of object files (ar)", _THE_MODEL)),
    (b"Obj\x01", OtherFile("an Avro file", _THE_MODEL)),
    (b"BZh", OtherFile("a bzip2 file", "unpack it with bunzip2, and name the .tflite file")),
    (b"\xfd7zXZ\0", OtherFile("an xz file", "unpack it with unxz, and name the .tflite file")),
    (b"\x28\xb5\x2f\xfd", OtherFile("a Zstandard file", "unpack it with unzstd")),
    (b"\x04\x22\x4d\x18", OtherFile("an LZ4 file", "unpack it with unlz4")),
    (b"7z\xbc\xaf\x27\x1c", OtherFile("a 7-Zip archive", _UNPACK)),
    (b"Rar!\x1a\x07", OtherFile("a RAR archive", _UNPACK)),
)
# Identifiers of FlatBuffers files, in bytes 4 to 7.
_FLATBUFFERS: dict[bytes, OtherFile] = {
    b"ORTM": OtherFile("an ONNX Runtime model (.ort)", _FROM_ONNX),
    b"TFL1": OtherFile("a TensorFlow Lite model of 2017 (TFL1)", _CONVERT),
    b"TFL2": OtherFile("a TensorFlow Lite model of 2017 (TFL2)", _CONVERT),
    b"3LFT": OtherFile(
        "a TensorFlow Lite model whose bytes are reversed in words of 4",
        "write it again in little-endian byte order",
    ),
    b"FT3L": OtherFile(
        "a TensorFlow Lite model whose bytes are swapped in words of 2",
        "write it again in little-endian byte order",
    ),
}
_BIG_ENDIAN = OtherFile(
    "a TensorFlow Lite model in big-endian byte order",
    "convert the model for little-endian machines, which is TFLiteConverter's default",
)
_EMPTY = OtherFile("an empty file", _AGAIN, holds_nothing=True)
_ZEROS = OtherFile("a file of zero bytes", _AGAIN, holds_nothing=True)
_HTML = re.compile(
    rb"<!doctype\s+html|<html|<head\b|<body\b|<!--[^>]*-->\s*<(?:!doctype|html)", re.IGNORECASE
)
_XML = re.compile(rb"<\?xml|<svg\b|<[A-Za-z][\w:.-]*(?:\s+xmlns|>)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{4}AFRGTD[MNOP]")
_HEX_DUMP = re.compile(rb"0*0[: ]\s*(?:[0-9a-fA-F]{2} ?){4}54 ?46 ?4c ?33\b", re.IGNORECASE)
_HEX_TEXT = re.compile(rb"(?:[0-9a-f]{2}\s*){4}54\s*46\s*4c\s*33", re.IGNORECASE)
_INTEL_HEX = re.compile(rb":[0-9A-Fa-f]{8,}\r?\n:[0-9A-Fa-f]{8,}")
_OTHER_PATH = re.compile(rb"[\w./@+ -]{1,400}\.(?:tflite|lite|litert)\s*\Z")
_C_SOURCE = re.compile(
    rb"^[ \t]*#[ \t]*(?:include|ifn?def|define|pragma)\b|\b(?:unsigned\s+char|u?int8_t)\b",
    re.MULTILINE,
)
_PYTHON = re.compile(rb"^(?:import|from)\s+\w[\w.]*(?:\s+import\b|\s+as\b|\s*$)", re.MULTILINE)
_RUNEFILE = re.compile(rb"^(?:image:\s*\S|FROM\s+\S|pipeline:\s*$)", re.MULTILINE)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_TORCH_MAGIC = b"l\xfc\x9cF\xf9 j\xa8P\x19."
_TF_CHECKPOINT = re.compile(rb'model_checkpoint_path: "')


def identify(data: bytes, path: str = _UNNAMED) -> OtherFile | None:
    """Identify a file that is not a TensorFlow Lite model; None if unknown.

    Args:
        data: its bytes, or the first 64 KiB where the rest is not at hand.
        path: how the user names it, for commands in hints.
    """
    if not data:
        return _EMPTY
    for signature, other in _SIGNATURES:
        if data.startswith(signature):
            return other
    by_name = _ONNX if path.lower().endswith(".onnx") else None
    return _binary(data) or _text(data, path) or by_name


def identify_folder(folder: Path) -> OtherFile:
    """Identify a folder in the place of a model, by names only."""

    def has(name: str) -> bool:
        return (folder / name).is_file()

    try:
        if has("saved_model.pb") or has("saved_model.pbtxt"):
            return OtherFile("a folder, a TensorFlow SavedModel", _FROM_SAVED_MODEL, "tensorflow")
        if has("model.json"):
            return OtherFile("a folder, a TensorFlow.js model", _FROM_JS, "tensorflow-js")
        models = sorted(item.name for item in folder.glob("*.tflite"))[:3]
    except OSError:
        models = []
    if models:
        listed = " or ".join(str(folder / name) for name in models)
        return OtherFile("a folder", f"name the file: {listed}")
    return OtherFile("a folder", "name a .tflite file")


def _binary(data: bytes) -> OtherFile | None:
    head = data[:_HEAD_BYTES]
    identifier = data[4:8]
    if identifier == b"TFL3":
        (offset,) = struct.unpack(">I", data[:4])
        little = struct.unpack("<I", data[:4])[0]
        return _BIG_ENDIAN if 8 <= offset < len(data) <= little else None
    if identifier in _FLATBUFFERS:
        return _FLATBUFFERS[identifier]
    if re.match(rb"ET[0-9]{2}", identifier):
        return OtherFile("an ExecuTorch program (.pte)", _FROM_TORCH)
    if data.startswith(b"\x1f\x8b"):
        return _gzip(data)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    if data[257:262] == b"ustar":
        return OtherFile("a tar archive", _UNPACK)
    if _PICKLE.match(data):
        if _TORCH_MAGIC in data[:64]:
            return OtherFile("a PyTorch model", _FROM_TORCH)
        return OtherFile("a Python pickle, such as a model of PyTorch or scikit-learn", _FROM_TORCH)
    if _is_safetensors(data):
        return OtherFile("weights in the safetensors format", _NO_WAY)
    if not data.strip(b"\0"):
        return _ZEROS
    found = data.find(b"TFL3", 0, 256)
    if found > 4 and _is_root(data[found - 4 :]):
        return OtherFile(
            f"a TensorFlow Lite model behind {found - 4} other bytes",
            f"remove the first {found - 4} bytes: `tail -c +{found - 3} FILE > model.tflite`",
        )
    return _protobuf(head, len(data))


def _is_root(data: bytes) -> bool:
    return len(data) >= 8 and 8 <= struct.unpack("<I", data[:4])[0] < len(data)


def _is_safetensors(data: bytes) -> bool:
    if len(data) < 10 or data[8:9] != b"{":
        return False
    length: int = struct.unpack("<Q", data[:8])[0]
    return 2 <= length <= 100_000_000 and data[9:10] in b'"} '


def _gzip(data: bytes) -> OtherFile:
    try:
        inner = zlib.decompressobj(wbits=31).decompress(data[:_HEAD_BYTES], 1024)
    except zlib.error:
        inner = b""
    if inner[4:8] == b"TFL3":
        hint = "unpack it with gunzip, and name the .tflite file"
        return OtherFile("a gzip file that holds a TensorFlow Lite model", hint)
    if inner[257:262] == b"ustar":
        return OtherFile("a tar archive (.tar.gz)", _UNPACK)
    return OtherFile("a gzip file", "unpack it with gunzip, and name the .tflite file")


def _zip(data: bytes) -> OtherFile:
    names = _zip_names(data)
    models = [name for name in names if name.endswith((".tflite", ".lite"))]
    if models:
        hint = f"unpack it and name {models[0]}"
        return OtherFile(f"a ZIP archive that holds {models[0]}", hint)
    if any(name.endswith("data.pkl") for name in names):
        return OtherFile("a PyTorch model", _FROM_TORCH)
    if "model.weights.h5" in names or {"config.json", "metadata.json"} <= names:
        return OtherFile("a Keras model (.keras)", _FROM_KERAS)
    if any(name.rpartition("/")[2] == "saved_model.pb" for name in names):
        return OtherFile(
            "a ZIP archive of a TensorFlow SavedModel", _FROM_SAVED_MODEL, "tensorflow"
        )
    if any(name.rpartition("/")[2] == "model.json" for name in names):
        return OtherFile("a ZIP archive of a TensorFlow.js model", _FROM_JS, "tensorflow-js")
    if names and all(name.endswith(".npy") for name in names):
        return OtherFile("NumPy arrays (.npz)", _THE_MODEL)
    return OtherFile("a ZIP archive", _UNPACK)


def _zip_names(data: bytes) -> set[str]:
    import zipfile  # noqa: PLC0415 - rarely needed

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return set(archive.namelist()[:_ZIP_ENTRIES_MAX])
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        # Cut short, so without its directory: the first entry's header is there.
        length = int.from_bytes(data[26:28], "little")
        return {data[30 : 30 + length].decode("utf-8", "replace")}


def _protobuf(head: bytes, file_bytes: int) -> OtherFile | None:
    """ONNX, TensorFlow's and Core ML's messages have no signature, but known fields."""
    fields = dict(_fields(head, file_bytes))
    kinds = set(fields)
    if not kinds:
        return None
    # A SavedModel's version is 1, and so were those of ONNX's first months.
    is_onnx = kinds <= _ONNX_FIELDS and (1, 0) in kinds and len(kinds) > 1
    if is_onnx and (kinds & _ONNX_OWN or 2 <= fields[1, 0] <= _ONNX_VERSION_MAX):
        return _ONNX
    if kinds == {(1, 0), (2, 2)} and fields[1, 0] == 1:
        return OtherFile("a TensorFlow SavedModel (saved_model.pb)", _FROM_SAVED_MODEL)
    if kinds <= _GRAPH_FIELDS and (1, 2) in kinds and _NODE.match(head):
        return OtherFile("a frozen TensorFlow graph (.pb)", _CONVERT)
    if kinds <= {(1, 2), (100, 2)} and (100, 2) in kinds:
        return OtherFile("a Caffe model", _NO_WAY)
    if (1, 0) in kinds and (2, 2) in kinds and any(number >= 200 for number, _ in kinds):
        return OtherFile("a Core ML model", _NO_WAY)
    return None


_ONNX = OtherFile("an ONNX model", _FROM_ONNX, "onnx")
_ONNX_VERSION_MAX = 99
# Its graph, and the versions of its operators.
_ONNX_OWN = {(7, 2), (8, 2)}
_ONNX_FIELDS = {(1, 0), (5, 0)} | {(number, 2) for number in (2, 3, 4, 6, 7, 8, 14, 20, 25, 26)}
_GRAPH_FIELDS = {(1, 2), (2, 2), (3, 0), (4, 2), (5, 2)}
# The first node: its name and its operator.
_NODE = re.compile(rb"\x0a.{1,3}\x0a.[\w./:-]{1,120}\x12.[A-Z]\w{1,60}", re.DOTALL)


def _fields(head: bytes, file_bytes: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield number and wire type of the fields of a message, and a number's value.

    Nothing is yielded for bytes that are not such a message. It may end behind `head`.
    """
    found: list[tuple[tuple[int, int], int]] = []
    at = 0
    while at < len(head) and len(found) < _PROTOBUF_FIELDS_MAX:
        tag, at = _varint(head, at)
        number, kind = tag >> 3, tag & 7
        value = 0
        if number == 0 or kind not in (0, 1, 2, 5):
            return
        if kind in (0, 2):
            value, at = _varint(head, at)
            if value < 0:
                return
        found.append(((number, kind), value))
        at += {0: 0, 1: 8, 2: value, 5: 4}[kind]
    if at <= file_bytes or len(found) > 1:  # the last one may be truncated
        yield from found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and where it ends; -1 for none."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            return -1, at
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return -1, at


def _text(data: bytes, path: str) -> OtherFile | None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint = "write it again without a conversion to text, as PowerShell's > does one"
        return OtherFile("text in UTF-16", hint)
    head = data[:_TEXT_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"\0" in head or not head:
        return None
    other = pointer(head)
    if other is not None:
        return other
    if _HTML.match(head):
        hint = "download the file itself; GitHub has it behind the button 'Download raw file'"
        return OtherFile("a web page (HTML)", hint, holds_nothing=True)
    if head.startswith((b"{", b"[")):
        return _json(data)
    if _XML.match(head):
        return OtherFile("an XML document, such as a server's error", _AGAIN, holds_nothing=True)
    if _BASE64.match(head):
        hint = f"decode it: `base64 -d {shlex.quote(path)} > model.tflite`"
        return OtherFile("a TensorFlow Lite model as base64 text", hint)
    if _HEX_DUMP.match(head):
        hint = f"write the bytes: `xxd -r {shlex.quote(path)} model.tflite`"
        return OtherFile("a hex dump of a TensorFlow Lite model", hint)
    if _HEX_TEXT.match(head):
        hint = f"write the bytes: `xxd -r -p {shlex.quote(path)} model.tflite`"
        return OtherFile("a TensorFlow Lite model as hexadecimal text", hint)
    return _source(data, head, path) or _plain(head)


def _damage_of_arrays(data: bytes, names: tuple[str, ...]) -> UserFileError | None:
    """Return the error of the first array if no array contains a whole model."""
    from runec.models.model_file import ModelFile  # noqa: PLC0415 - it imports this module

    first = None
    for name in names:
        try:
            _ = ModelFile(extract_model(data, name).data).graph
        except UserFileError as error:
            first = first or error
        else:
            return None
    return first


def _source(data: bytes, head: bytes, path: str) -> OtherFile | None:
    if _OTHER_PATH.match(head):
        name = head.decode("ascii", "replace").strip()
        what = f'the path of another file ("{name[:_QUOTED]}"), as Git writes a link on Windows'
        return OtherFile(what, f"name that file: {name[:200]}", holds_nothing=True)
    names = model_names(data)
    if names:
        arrays = " and ".join(names[:3])
        damage = _damage_of_arrays(data, names)
        if damage is not None:
            what = f"C source with a damaged model as a C array ({arrays}): {damage.message}"
            return OtherFile(what, damage.hint or "export the array again")
        choice = f" --array {shlex.quote(names[0])}" if len(names) > 1 else ""
        target = "model.tflite" if path == _UNNAMED else str(Path(path).with_suffix(".tflite"))
        command = f"runec model-info {shlex.quote(path)} --extract {shlex.quote(target)}{choice}"
        hint = f"write the model to a file: `{command}`"
        return OtherFile(f"C source with a model as a C array ({arrays})", hint)
    if _INTEL_HEX.match(head):
        return OtherFile("a firmware image (Intel HEX)", _THE_MODEL)
    if _RUNEFILE.search(head):
        return OtherFile("a Runefile", "name the .tflite file that it uses")
    if _TF_CHECKPOINT.match(head):
        return OtherFile("a TensorFlow checkpoint", _CONVERT)
    if _C_SOURCE.search(head):
        return OtherFile("C source without a model's array", _THE_MODEL)
    if head.startswith(b"#!") or _PYTHON.search(head):
        return OtherFile("a script", "run it, if it writes the model, and name the .tflite file")
    return None


def _plain(head: bytes) -> OtherFile | None:
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or not head[: error.start].strip():
            return None
        text = head[: error.start].decode()
    if any(not char.isprintable() and not char.isspace() for char in text):
        return None
    first = text.splitlines()[0].strip()
    shown = first if len(first) <= _QUOTED else f"{first[:_QUOTED]}..."
    hint = "name the .tflite file; if this is it, copy or download it again"
    return OtherFile(f'a text that begins with "{shown}"', hint)


def _json(data: bytes) -> OtherFile | None:
    found = None
    if len(data) <= _JSON_BYTES_MAX:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
    keys = set(found) if isinstance(found, dict) else set()
    begins = data[:_TEXT_HEAD_BYTES]
    if keys & {"modelTopology", "weightsManifest"} or b'"modelTopology"' in begins:
        return OtherFile("a TensorFlow.js model (model.json)", _FROM_JS, "tensorflow-js")
    if {"class_name", "config"} <= keys:
        hint = "it has no weights: load them in Keras, and convert with TFLiteConverter"
        return OtherFile("the architecture of a Keras model as JSON", hint)
    if "nbformat" in keys:
        return OtherFile("a Jupyter notebook", "run it, and name the .tflite file that it writes")
    if found is None and b'"' not in begins:
        return None
    return OtherFile("a JSON document", _AGAIN)
