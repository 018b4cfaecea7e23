import graft

folder, data = "build/models/minilm", "bindings/data/team/act"
model, tokenizer = graft.Model(folder), graft.Tokenizer(folder)
train = graft.Dataset.from_tsv(tokenizer, f"{data}/train.tsv")
test = graft.Dataset.from_tsv(tokenizer, f"{data}/test.tsv")

adapter = graft.Adapter.create(model)
adapter.set_head(labels=train.label_names, pooling="mean")
with graft.Trainer(model, adapter) as trainer:
    trainer.fit(train)
    print(trainer.evaluate(test))

adapter.save("build/quickstart-adapter")
print(graft.Session(model, tokenizer, adapter).predict(["Could you water the plants?"]))
