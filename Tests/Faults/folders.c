/* Paths that are not the folder that was asked for: what is there instead is said, and what would
 * be read. */
#define _XOPEN_SOURCE 700
#include "malformed.h"
#include <sys/stat.h>

static const struct {
    const char *file;
    graft_status model, adapter, tokenizer;
    const char *fragment;
} table[] = {
    {"model-q4.ggml", GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_UNSUPPORTED, "llama.cpp"},
    {"pytorch_model.bin", GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_NOT_FOUND,
     "pytorch_model.bin"},
    {"adapter_model.bin", GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_NOT_FOUND,
     "adapter_model.bin"},
    {"model.onnx", GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_NOT_FOUND, "model.onnx"},
    {"tf_model.h5", GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_UNSUPPORTED, GRAFT_ERROR_NOT_FOUND, "tf_model.h5"},
    {"notes.txt", GRAFT_ERROR_NOT_FOUND, GRAFT_ERROR_NOT_FOUND, GRAFT_ERROR_NOT_FOUND, "notes.txt"},
    {NULL, GRAFT_ERROR_NOT_FOUND, GRAFT_ERROR_NOT_FOUND, GRAFT_ERROR_NOT_FOUND, "empty"},
};

static void check(const char *path, size_t row, const char *fragment) {
    graft_model *model = NULL;
    graft_adapter *adapter = NULL;
    graft_tokenizer *tokenizer = NULL;
    expect(table[row].model, fragment, graft_model_load(path, NULL, &model), "a model that is not one");
    claim(strstr(graft_last_error_message(), "model.safetensors.index.json") != NULL,
          "what a model is read from is said", graft_last_error_message());
    expect(table[row].adapter, fragment, graft_adapter_load(tiny, path, &adapter),
           "an adapter that is not one");
    claim(strstr(graft_last_error_message(), "adapter_model.safetensors") != NULL,
          "what an adapter is read from is said", graft_last_error_message());
    expect(table[row].tokenizer, fragment, graft_tokenizer_load(path, &tokenizer),
           "a tokenizer that is not one");
    claim(strstr(graft_last_error_message(), "vocab.json and merges.txt") != NULL,
          "what a tokenizer is read from is said", graft_last_error_message());
}

void test_folders(void) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *folder = copy_folder("bert-tiny/base", "folder");
        remove(join(folder, "config.json"));
        remove(join(folder, "model.safetensors"));
        if (table[i].file)
            write_bytes(join(folder, table[i].file), "", 0);
        check(folder, i, table[i].fragment);
        if (table[i].file)
            check(join(folder, table[i].file), i, table[i].file);
    }
    graft_tokenizer *tokenizer = NULL;
    const char *pieces = copy_folder("bert-tiny/base", "folder");
    write_bytes(join(pieces, "spiece.model"), "", 0);
    expect(GRAFT_ERROR_CORRUPT_FILE, "spiece.model", graft_tokenizer_load(pieces, &tokenizer),
           "an empty file of SentencePiece");
    graft_model *model = NULL;
    graft_adapter *adapter = NULL;
    expect(GRAFT_ERROR_NOT_FOUND, "this is an adapter folder",
           graft_model_load(join(goldens, "lora/default"), NULL, &model), "an adapter loaded as a model");
    expect(GRAFT_ERROR_NOT_FOUND, "this is a model folder",
           graft_adapter_load(tiny, join(goldens, "bert-tiny/base"), &adapter),
           "a model loaded as an adapter");
    graft_model *llama = NULL;
    need(graft_model_load(join(goldens, "llama-tiny/plain"), NULL, &llama), "loading a decoder");
    expect(GRAFT_ERROR_INCOMPATIBLE,
           "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight",
           graft_adapter_load(llama, join(goldens, "lora/default"), &adapter),
           "an adapter of an encoder on a decoder");
    claim(strstr(graft_last_error_message(), "q_proj") != NULL, "what a decoder's would be called is said",
          graft_last_error_message());
    graft_model_release(llama);
}
