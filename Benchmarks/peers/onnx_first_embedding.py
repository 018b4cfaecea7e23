"""From a new process to the first embedding with ONNX Runtime. The caller takes the time."""

import os
import sys

import numpy
import onnxruntime
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(os.path.join(sys.argv[1], "minilm", "tokenizer.json"))
tokenizer.no_padding()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ.get("GRAFT_BENCH_THREADS", "2"))
session = onnxruntime.InferenceSession(os.path.join(sys.argv[1], "onnx", sys.argv[2]), options)
ids = numpy.array([tokenizer.encode("a cold start sentence for the model").ids])
feed = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
hidden = session.run(None, feed)[0][0]
embedding = hidden.mean(0)
print(float(embedding[0] / numpy.linalg.norm(embedding)))
