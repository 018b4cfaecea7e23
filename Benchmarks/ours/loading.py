"""Memory of loading a model: the growth of the process's peak over the bytes of its weights."""

import argparse

import graft
import settings

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="bert-base")
parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
arguments = parser.parse_args()

before = settings.peak_megabytes()
model = graft.Model(settings.MODELS / arguments.model, precision=arguments.precision, threads=settings.THREADS)
grown = settings.peak_megabytes() - before
weights = model.parameter_count * (4 if arguments.precision == "float32" else 2) / 2**20
ratio = round(grown / weights, 3)
settings.emit("loading", side="Graft", **vars(arguments), weights_mb=round(weights), grown_mb=round(grown), ratio=ratio)
