"""The peers of Graft in the benchmarks: PEFT, ONNX Runtime and compiled torch."""
