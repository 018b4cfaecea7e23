"""Trains an adapter with the installed package, saves it, and classifies with what was saved.

python program.py MODEL ADAPTER
"""

import sys

import graft

model_folder, adapter_folder = sys.argv[1:]
model, tokenizer = graft.Model(model_folder), graft.Tokenizer(model_folder)
texts = ["The train was late.", "I missed my bus again.", "I love fresh bread.", "The soup needs salt."]
labels = ["travel", "travel", "food", "food"]

adapter = graft.Adapter.create(model, "lora", {"r": 8, "lora_alpha": 16})
adapter.set_head(labels=["travel", "food"])
with graft.Trainer(model, adapter, learning_rate=2e-3, epoch_count=10) as trainer:
    trainer.fit(graft.Dataset(tokenizer, texts, labels=labels, label_names=["travel", "food"]))
adapter.save(adapter_folder)

saved = graft.Adapter.load(model, adapter_folder)
print(graft.__version__, graft.Session(model, tokenizer, saved).predict(texts))
