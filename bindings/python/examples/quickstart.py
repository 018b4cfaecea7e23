import graft

folder, data = "build/models/minilm", "bindings/data/intents"
model, tokenizer = graft.Model(folder), graft.Tokenizer(folder)
train = graft.Dataset.from_tsv(tokenizer, f"{data}/train.tsv")
test = graft.Dataset.from_tsv(tokenizer, f"{data}/test.tsv")

adapter = graft.Adapter.create(model, "lora", {"r": 8, "lora_alpha": 16})
adapter.set_head(labels=train.label_names, dense_layer=True)
with graft.Trainer(model, adapter, learning_rate=2e-3, epoch_count=10) as trainer:
    trainer.fit(train)
    print(trainer.evaluate(test))

adapter.save("build/quickstart-adapter")  # opens in PEFT as well
print(graft.Session(model, tokenizer, adapter).predict(["Where is my parcel?"]))
