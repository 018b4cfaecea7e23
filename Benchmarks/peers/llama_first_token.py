"""From a new process to the first token of a text with llama.cpp. The caller takes the time."""

import os
import sys

from llama_cpp import Llama

threads = int(os.environ.get("GRAFT_BENCH_THREADS", "2"))
llama = Llama(sys.argv[1], n_ctx=512, n_threads=threads, n_threads_batch=threads, verbose=False)
llama.eval(llama.tokenize(b"a cold start sentence for the model"))
print(llama.detokenize([llama.sample(temp=0.0)]).decode())
