/* GGUF files that are right but for one thing, that are cut, and that have a byte changed. */
#include "malformed.h"

/* In the file, `from` becomes `to`, which is as long. */
typedef struct change {
    const char *from, *to;
    graft_status status;
    const char *fragment, *sentence;
} change;

static const change changes[] = {
    {"GGUF", "GGUX", GRAFT_ERROR_CORRUPT_FILE, "begins with \"GGUF\"", "a file that begins otherwise"},
    {"llama", "mamba", GRAFT_ERROR_UNSUPPORTED, "\"mamba\" is not known",
     "an architecture that is not known"},
    {"general.architecture", "general.architectura", GRAFT_ERROR_CORRUPT_FILE, "general.architecture",
     "a file without an architecture"},
    {"llama.block_count", "llama.block_counT", GRAFT_ERROR_CORRUPT_FILE, "llama.block_count",
     "a file without a count of layers"},
    {"blk.0.attn_q.weight", "blk.0.attn_X.weight", GRAFT_ERROR_UNSUPPORTED, "blk.0.attn_X.weight",
     "a tensor that is none of the architecture's"},
    {"blk.1.attn_q.weight", "blk.9.attn_q.weight", GRAFT_ERROR_NOT_FOUND, "layers.1.self_attn.q_proj",
     "a layer without its queries"},
    {"token_embd.weight", "token_embd.weighT", GRAFT_ERROR_NOT_FOUND, "token_embd.weight",
     "a file without a table of words"},
};

static char *find(char *bytes, size_t size, const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(bytes + i, text, length) == 0)
            return bytes + i;
    return NULL;
}

static graft_status load(const char *path, const void *bytes, size_t size) {
    graft_model *out = NULL;
    write_bytes(path, bytes, size);
    graft_status status = graft_model_load(path, NULL, &out);
    graft_model_release(out);
    return status;
}

static void check(const char *path, char *bytes, size_t size, const change *change) {
    char *place = find(bytes, size, change->from);
    claim(place != NULL, "the file has what is to be changed", change->from);
    if (!place)
        return;
    memcpy(place, change->to, strlen(change->to));
    expect(change->status, change->fragment, load(path, bytes, size), change->sentence);
    memcpy(place, change->from, strlen(change->from));
}

static graft_status load_adapter(const graft_model *model, const char *path, const void *bytes, size_t size) {
    graft_adapter *out = NULL;
    write_bytes(path, bytes, size);
    graft_status status = graft_adapter_load(model, path, &out);
    graft_adapter_release(out);
    return status;
}

/* LoRA in a file that is cut, and that has a byte changed. */
static void test_adapter(const char *path) {
    size_t size;
    char *bytes = read_file(join(goldens, "gguf-lora/adapter.gguf"), &size);
    graft_model *model = NULL;
    need(graft_model_load(join(goldens, "llama-tiny/plain"), NULL, &model), "loading the adapter's model");
    need(load_adapter(model, path, bytes, size), "loading LoRA from a GGUF file");
    expect(GRAFT_ERROR_UNSUPPORTED, "\"adapter\"", load(path, bytes, size), "an adapter as a model");
    for (size_t cut = 5; cut < size; cut += 61)
        claim(is_refused(load_adapter(model, path, bytes, cut)), "LoRA in a file that is cut is refused",
              "it loads");
    for (size_t place = 4; place < size; place += 37) {
        char was = bytes[place];
        bytes[place] = (char)(was ^ 0x81);
        graft_status status = load_adapter(model, path, bytes, size);
        claim(status == GRAFT_OK || is_refused(status), "LoRA with a byte changed is refused or loads",
              "another error");
        bytes[place] = was;
    }
    graft_model_release(model);
    free(bytes);
}

void test_gguf(void) {
    size_t size;
    char *bytes = read_file(join(goldens, "gguf-tiny/llama.gguf"), &size);
    char path[512];
    snprintf(path, sizeof path, "%s/model.gguf", scratch);
    need(load(path, bytes, size), "loading a GGUF file");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        check(path, bytes, size, &changes[i]);
    graft_tokenizer *none = NULL;
    expect(GRAFT_ERROR_CORRUPT_FILE, "tokenizer.ggml.model", graft_tokenizer_load(path, &none),
           "a GGUF file without a tokenizer");
    size_t header = (size_t)(find(bytes, size, "blk.1.ffn_down.weight") - bytes);
    for (size_t cut = 5; cut < size; cut += cut < header ? 61 : 4099)
        claim(is_refused(load(path, bytes, cut)), "a GGUF file that is cut is refused", "it loads");
    for (size_t place = 4; place < header; place += 37) {
        char was = bytes[place];
        bytes[place] = (char)(was ^ 0x81);
        graft_status status = load(path, bytes, size);
        claim(status == GRAFT_OK || is_refused(status), "a GGUF file with a byte changed is refused or loads",
              "another error");
        bytes[place] = was;
    }
    need(load(path, bytes, size), "loading the GGUF file again");
    test_adapter(path);
    remove(path);
    free(bytes);
}
