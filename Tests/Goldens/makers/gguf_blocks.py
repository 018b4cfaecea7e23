"""gguf-blocks: a GGUF file with a tensor of each type of blocks, random and extreme bytes, and the
numbers that the gguf package makes of them.
"""

import gguf
import numpy

from .files import fresh_folder, write_tensors

NAME = "gguf-blocks"
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "MXFP4"]
# Those that the package also writes.
WRITTEN = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]
EXTREMES = [0x00, 0xFF, 0x80, 0x7F, 0x01, 0x7C, 0xFC]


def blocks(kind: gguf.GGMLQuantizationType, generator: numpy.random.Generator) -> numpy.ndarray:
    """Rows of 512 numbers: one of ordinary numbers where there is a writer, then blocks of equal
    bytes, then random ones."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    width = 512 // elements * size
    rows = [numpy.full(width, byte, dtype=numpy.uint8) for byte in EXTREMES]
    rows += list(generator.integers(0, 256, (8, width), dtype=numpy.uint8))
    if kind.name in WRITTEN:
        rows.append(gguf.quants.quantize(generator.standard_normal((1, 512), dtype=numpy.float32), kind)[0])
    return numpy.stack(rows)


def make() -> None:
    top = fresh_folder(NAME)
    generator = numpy.random.default_rng(7)
    writer = gguf.GGUFWriter(top / "blocks.gguf", "none")
    writer.add_array("numbers", [1, 2, 3])
    writer.add_array("texts", ["a", "", "ü"])
    expected = {}
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        stored = blocks(kind, generator)
        writer.add_tensor(name, stored, raw_dtype=kind)
        with numpy.errstate(all="ignore"):
            expected[name] = gguf.quants.dequantize(stored, kind)
    numbers = generator.standard_normal((3, 40), dtype=numpy.float32)
    for name, kind in (("F32", numpy.float32), ("F16", numpy.float16)):
        writer.add_tensor(name, numbers.astype(kind))
        expected[name] = numbers.astype(kind).astype(numpy.float32)
    halves = gguf.quants.quantize(numbers, gguf.GGMLQuantizationType.BF16)
    writer.add_tensor("BF16", halves, raw_dtype=gguf.GGMLQuantizationType.BF16)
    expected["BF16"] = gguf.quants.dequantize(halves, gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_tensors(top / "expected.safetensors", expected)
    # Ordinary blocks, one of zeros, one of halves that round away from zero, small and large ones.
    numbers = generator.standard_normal((12, 32), dtype=numpy.float32)
    numbers[3] = 0
    numbers[4] = (numpy.arange(32, dtype=numpy.float32) - 15.5) * 127 / 15.5
    numbers[4, 31] = 127
    numbers[5] *= 1e-9
    numbers[6] *= 1e6
    numbers[7, :31] = 0
    blocks_of_8 = gguf.quants.quantize(numbers, gguf.GGMLQuantizationType.Q8_0)
    write_tensors(top / "quantised.safetensors", {"numbers": numbers, "Q8_0": blocks_of_8})
