"""Makes the golden files of this folder with the real safetensors package and Python's json module.

    python3 -m venv venv && venv/bin/pip install safetensors==0.8.0 && venv/bin/python make.py

Nothing is random from run to run: files are made anew byte for byte.
"""

import ctypes
import json
import pathlib
import random
import struct

import safetensors

HERE = pathlib.Path(__file__).parent
assert safetensors.__version__ == "0.8.0", safetensors.__version__


def safetensors_file(name, tensors, metadata):
    """tensors: (name, safetensors' Python name of the dtype, shape, bytes), in an order the writer
    has to change.
    """
    buffers = [ctypes.create_string_buffer(data, max(len(data), 1)) for _, _, _, data in tensors]
    described = {
        name: safetensors.TensorSpec(
            dtype=dtype, shape=list(shape), data_ptr=ctypes.addressof(buffer), data_len=len(data)
        )
        for (name, dtype, shape, data), buffer in zip(tensors, buffers)
    }
    (HERE / name).write_bytes(bytes(safetensors.serialize(described, metadata=metadata)))


def numbered(count, first=1):
    return bytes((first + i) % 256 for i in range(count))


def make_safetensors():
    # dtype name, bytes of a [2, 3] tensor. A float4 shape is given with its last size halved: two
    # share a byte.
    types = [
        ("bool", 6), ("uint8", 6), ("int8", 6), ("float8_e5m2", 6), ("float8_e4m3fn", 6), ("float8_e8m0fnu", 6),
        ("float8_e4m3fnuz", 6), ("float8_e5m2fnuz", 6), ("int16", 12), ("uint16", 12), ("float16", 12),
        ("bfloat16", 12), ("int32", 24), ("uint32", 24), ("float32", 24), ("complex64", 48), ("float64", 48),
        ("int64", 48), ("uint64", 48),
    ]  # fmt: skip
    tensors = []
    for place, (dtype, size) in enumerate(types):
        data = bytes([0, 1, 1, 0, 1, 0]) if dtype == "bool" else numbered(size, place)
        tensors += [(f"b.{dtype}", dtype, (2, 3), data), (f"a.{dtype}", dtype, (2, 3), data[::-1])]
    tensors.append(("half.bytes", "float4_e2m1fn_x2", (2, 3), numbered(6)))
    safetensors_file("types.safetensors", tensors, {"format": "pt"})

    one = struct.pack("<f", 1.5)
    names = ["b", "a", "ab", "a.b", "A", "é", "e\u0301", "\uffee", "\U0001f600", "\u4f60", 'q"\\/', "\x01\x1f\x7f", "\t"]
    safetensors_file("names.safetensors", [(n, "float32", (1,), one) for n in names], {"k\u00e9\x01": "v\n\"\u2028"})
    safetensors_file("scalar-and-empty.safetensors", [
        ("scalar", "float32", (), one), ("empty", "float32", (0, 3), b""), ("last", "float32", (1, 1), one),
        ("a.empty", "float16", (4, 0), b""), ("half", "float16", (1,), one[:2]),
    ], None)  # fmt: skip
    safetensors_file("no-tensors.safetensors", [], None)
    safetensors_file("empty-metadata.safetensors", [("x", "uint8", (3,), numbered(3))], {})


def make_configurations():
    lora = {
        "peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": "models/mini\u00e9", "revision": None,
        "inference_mode": True, "auto_mapping": {"base_model_class": "BertModel", "parent_library": "transformers"},
        "peft_version": "0.19.1", "r": 8, "lora_alpha": 16, "lora_dropout": 0.1, "use_rslora": False,
        "target_modules": ["value", "query"], "rank_pattern": {"layer.1.attention.self.query": 4, "LAYER": 2, "": 1},
        "alpha_pattern": {}, "modules_to_save": [], "layers_to_transform": [0, [1, {}], {"a": []}], "bias": "none",
        "learning_rate": 1e-05, "epsilon": 1e-12, "large": 1e16, "below": 1e15, "negative": -0.0, "max": 2**70,
        "\U0001f600": "\U0001f600 \u2028 \x00\x1f\x7f \" \\ / \b\f\n\r\t", "\uffee": 1,
    }  # fmt: skip
    texts = {
        "configuration.json": json.dumps(lora, indent=2, sort_keys=True),
        "configuration-plain.json": json.dumps(lora),
        "configuration-unicode.json": json.dumps(lora, indent=4, ensure_ascii=False),
        "configuration-compact.json": json.dumps(lora, separators=(",", ":"), ensure_ascii=False),
    }
    for name, text in texts.items():
        (HERE / name).write_bytes(text.encode())


def make_floats():
    """Lines: the bits of a float64 in hexadecimal, and its repr."""
    dice = random.Random(1)
    values = [0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]
    values += [float(f"{sign}{digits}e{power}") for sign in ("", "-") for digits in ("1", "1.5", "9.999", "1.2345678")
               for power in range(-8, 23)]  # fmt: skip
    values += [float(2**p + d) for p in (52, 53, 54, 55, 60, 63, 64) for d in (-1, 0, 1)]
    while len(values) < 1200:
        value = struct.unpack("<d", dice.randbytes(8))[0]
        if value - value == 0:
            values.append(value)
    lines = [f"{struct.unpack('<Q', struct.pack('<d', v))[0]:016x} {v!r}" for v in values]
    (HERE / "floats.txt").write_text("\n".join(lines) + "\n")


def make_verdicts():
    """Lines: 1 or 0, whether Python reads the document, and its bytes in hexadecimal.

    Python's reader is made as strict as RFC 8259 wants: no NaN, no equal keys; and no halves of
    surrogate pairs, which no UTF-8 string can hold.
    """

    def refuse(what):
        raise ValueError(what)

    def object_of(pairs):
        return dict(pairs) if len(dict(pairs)) == len(pairs) else refuse("equal keys")

    def reads(document):
        try:
            value = json.loads(document.decode(), parse_constant=refuse, object_pairs_hook=object_of)
            json.dumps(value, ensure_ascii=False).encode()
            return True
        except (ValueError, RecursionError):
            return False

    dice = random.Random(2)
    seeds = [
        b'{"a": [1, -2.5e-3, true, null], "b\\u00e9\\ud83d\\ude00": {"c": "x\\ny"}}', '["é", "你好", "😀", "\\/\\""]'.encode(),
        b"[0, -0, 0.0, 1E+5, 10, 1e9, false]", b'  {"": "", "a": {}, "b": [[], [{}]]}\n', b'"text"', b"-12.75", b"[[[]]]",
    ]  # fmt: skip
    pieces = [b'"', b"\\", b",", b":", b"[", b"]", b"{", b"}", b"0", b"-", b".", b"e", b" ", b"\n", b"\x00", b"\xff", b"\xc3",
              b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\\u12", b"\\ud800", b"\\udc00", b"nul", b"true", b"NaN",
              b"\xef\xbb\xbf", b"\x7f", b"//", b"'", b"\xe2\x80\xa8", b"+", b"\t", b"\x0b", b"\xc2\xa0"]  # fmt: skip
    documents = list(seeds)
    while len(documents) < 2000:
        document = bytearray(dice.choice(seeds))
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            at = dice.randrange(len(document) + 1)
            match dice.randrange(4):
                case 0: document[at:at] = dice.choice(pieces)
                case 1: del document[at : at + dice.choice([1, 1, 2, 5])]
                case 2: document[at : at + 1] = dice.choice(pieces)
                case 3:
                    other = dice.randrange(len(document) + 1)
                    document[at:at] = document[min(at, other) : max(at, other)]
        documents.append(bytes(document))
    documents = list(dict.fromkeys(documents))
    (HERE / "verdicts.txt").write_text("".join(f"{int(reads(d))} {d.hex()}\n" for d in documents))


make_safetensors()
make_configurations()
make_floats()
make_verdicts()
