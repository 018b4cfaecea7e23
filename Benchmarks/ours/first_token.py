"""From a new process to the first token of a text with Graft. The caller takes the time."""

import os
import sys

import graft

threads = int(os.environ.get("GRAFT_BENCH_THREADS", "2"))
model = graft.Model(sys.argv[1], precision="bfloat16", threads=threads)
session = graft.Session(model, graft.Tokenizer(sys.argv[1]), threads=threads)
print(session.generate(["a cold start sentence for the model"], maximum_tokens=1)[0])
