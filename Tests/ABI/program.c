/* A program of the release whose header it is compiled with, run with the library of today: it
 * hands over every struct that begins with its size, as long as that release has it, shorter and
 * longer.
 *
 *     program GOLDENS STRUCT=SIZE...     the sizes that the library has
 *
 * A struct ends where a page begins that cannot be touched, so the library reads and writes no byte
 * more than there are. */
#define _DEFAULT_SOURCE
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char vocabulary[] =
    "{\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\", "
    "\"max_input_chars_per_word\": 100, \"vocab\": {\"[UNK]\": 0, \"one\": 1, \"two\": 2}}, "
    "\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"post_processor\": null, "
    "\"decoder\": null}";

static const int32_t tokens[] = {2, 3, 4}, lengths[] = {3}, labels[] = {1};
static const char *const names[] = {"a", "b", "c"};
static char bert_path[1000], llama_path[1000];
static graft_model *bert, *llama;
static graft_tokenizer *tokenizer;
static graft_adapter *adapter;
static graft_batch *batch;
static graft_trainer *trainer;

static int held, failed;

static void claim(int holds, const char *name, size_t size, const char *sentence) {
    if (holds) {
        held++;
        return;
    }
    failed++;
    printf("FAILED  %s of %zu bytes: %s: %s\n", name, size, sentence, graft_last_error_message());
}

static void need(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    printf("FAILED  %s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

/* What a program does with each struct. */

static graft_status use_model(void *options) {
    graft_model *out = NULL;
    graft_status status = graft_model_load(bert_path, options, &out);
    graft_model_release(out);
    return status;
}

static graft_status use_encoding(void *options) {
    const char *texts[] = {"one two", "two"};
    graft_batch *out = NULL;
    graft_status status = graft_batch_encode(tokenizer, texts, NULL, 2, options, &out);
    if (!status && graft_batch_token_count(out) != 3)
        status = GRAFT_ERROR_INTERNAL;
    graft_batch_release(out);
    return status;
}

static graft_status use_trainer(void *options) {
    graft_adapter *fresh = NULL;
    graft_trainer *out = NULL;
    need(graft_adapter_create(bert, "lora", NULL, 1, &fresh), "making an adapter");
    need(graft_adapter_set_head(fresh, "sequence_classification", names, 3, NULL), "giving it a head");
    graft_status status = graft_trainer_create(bert, fresh, options, &out);
    if (!status)
        status = graft_trainer_step(out, batch, NULL);
    graft_trainer_release(out);
    graft_adapter_release(fresh);
    return status;
}

static graft_status use_metrics(void *metrics) {
    return graft_trainer_step(trainer, batch, metrics);
}

static graft_status use_session(void *options) {
    float vector[32];
    graft_session *out = NULL;
    graft_status status = graft_session_create(bert, options, &out);
    if (!status)
        status = graft_session_embed(out, batch, GRAFT_POOLING_MEAN, 1, vector, 32);
    graft_session_release(out);
    return status;
}

static int32_t take_token(void *count, const graft_token *token) {
    (void)token;
    return ++*(int *)count == 2;
}

static graft_status use_generation(void *options) {
    int count = 0;
    graft_session *session = NULL;
    need(graft_session_create(llama, NULL, &session), "making a session");
    graft_status status = graft_session_generate(session, NULL, batch, options, take_token, &count);
    graft_session_release(session);
    return status;
}

#define STRUCT(name, init, use)                                                                              \
    { #name, sizeof(name), (void (*)(void *, size_t))init, use }

static const struct {
    const char *name;
    size_t size; /* in the release of the header */
    void (*init)(void *, size_t);
    graft_status (*use)(void *);
} structs[] = {
    STRUCT(graft_model_options, graft_model_options_init, use_model),
    STRUCT(graft_encode_options, graft_encode_options_init, use_encoding),
    STRUCT(graft_trainer_options, graft_trainer_options_init, use_trainer),
    STRUCT(graft_metrics, graft_metrics_init, use_metrics),
    STRUCT(graft_session_options, graft_session_options_init, use_session),
    STRUCT(graft_generate_options, graft_generate_options_init, use_generation),
};
enum { STRUCT_COUNT = sizeof structs / sizeof structs[0] };

/* Sizes below this release's are refused; all others are taken, unless they set what the library
 * does not know. */
static void try_sizes(int number, size_t known, unsigned char *end) {
    const char *name = structs[number].name;
    size_t first = structs[number].size;
    for (size_t size = 8; size <= known + 64; size += 8) {
        unsigned char *options = end - size;
        memset(options, 0xa5, size);
        structs[number].init(options, size);
        graft_status status = structs[number].use(options);
        if (size < first)
            claim(status == GRAFT_ERROR_INVALID_ARGUMENT, name, size, "expected to be refused");
        else
            claim(status == GRAFT_OK, name, size, "expected to be taken");
        if (size > known && structs[number].use != use_metrics) {
            structs[number].init(options, size);
            end[-1] = 1;
            claim(structs[number].use(options) == GRAFT_ERROR_UNSUPPORTED, name, size,
                  "expected to be refused for its last field");
        }
    }
    static const size_t absurd[] = {0, 1, 7, 65537, SIZE_MAX / 2, SIZE_MAX};
    for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
        structs[number].init(end - first, first);
        memcpy(end - first, &absurd[i], sizeof absurd[i]);
        graft_status status = structs[number].use(end - first);
        claim(status == GRAFT_ERROR_INVALID_ARGUMENT && strstr(graft_last_error_message(), "struct_size"),
              name, absurd[i], "expected to be refused");
    }
}

int main(int argument_count, char **arguments) {
    if (argument_count < 2)
        return 1;
    snprintf(bert_path, sizeof bert_path, "%s/bert-tiny/base", arguments[1]);
    snprintf(llama_path, sizeof llama_path, "%s/llama-tiny/plain", arguments[1]);
    need(graft_model_load(bert_path, NULL, &bert), "loading an encoder");
    need(graft_model_load(llama_path, NULL, &llama), "loading a decoder");
    graft_file file = {"tokenizer.json", vocabulary, sizeof vocabulary - 1};
    need(graft_tokenizer_load_files(&file, 1, &tokenizer), "loading a tokenizer");
    need(graft_batch_create(tokens, NULL, lengths, 1, &batch), "making a batch");
    need(graft_batch_set_integers(batch, "labels", labels, 1, 1), "labelling it");
    need(graft_adapter_create(bert, "lora", NULL, 1, &adapter), "making an adapter");
    need(graft_adapter_set_head(adapter, "sequence_classification", names, 3, NULL), "giving it a head");
    need(graft_trainer_create(bert, adapter, NULL, &trainer), "making a trainer");

    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0)
        return 1;
    for (int argument = 2; argument < argument_count; argument++) {
        const char *size = strchr(arguments[argument], '=');
        for (int number = 0; size && number < STRUCT_COUNT; number++) {
            size_t length = (size_t)(size - arguments[argument]);
            if (strlen(structs[number].name) == length &&
                !memcmp(structs[number].name, arguments[argument], length))
                try_sizes(number, strtoul(size + 1, NULL, 10), pages + page);
        }
    }
    graft_trainer_release(trainer);
    graft_adapter_release(adapter);
    graft_batch_release(batch);
    graft_tokenizer_release(tokenizer);
    graft_model_release(llama);
    graft_model_release(bert);
    printf("%d held\n", held);
    return failed != 0;
}
