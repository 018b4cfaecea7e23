"""From a new process to the first embedding with Graft. The caller takes the time."""

import os
import sys

import graft

folder = os.path.join(sys.argv[1], "minilm")
threads = int(os.environ.get("GRAFT_BENCH_THREADS", "2"))
session = graft.Session(graft.Model(folder, threads=threads), graft.Tokenizer(folder), threads=threads)
print(float(session.embed(["a cold start sentence for the model"])[0][0]))
