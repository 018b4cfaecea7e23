/* JSON files with one value replaced: every value in turn, by each of a list. What loads all the
 * same must work. */
#define _XOPEN_SOURCE 700
#include "malformed.h"
#include <time.h>

/* What a value may be instead; at NULL a text of 100 kB. */
static const char *const values[] = {
    "null", "true", "\"\"",  "\"((a+)+)+$\"", "\"\\u0000\"", "[]",    "{}",       "{\"x\": null}",       "0",
    "-1",   "1.5",  "1e-46", "1e39",          "-1e300",      "1e999", "16777216", "9223372036854775807", NULL,
};
enum { VALUE_COUNT = sizeof values / sizeof values[0], LONG_TEXT = 100000, LONGEST_MESSAGE = 4100 };

/* Every so many of them: with the address sanitizer, which takes ten times as long, each value of a
 * file has a third of them, in turn. */
enum {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    EACH = 3
#else
    EACH = 1
#endif
#else
    EACH = 1
#endif
};
static char long_text[LONG_TEXT + 1];

/* Loads a folder and, where that succeeds, uses what it holds. */
typedef graft_status (*use)(const char *folder);

static struct {
    const char *folder, *file, *text;
    use use;
    /* Of values in the file, and of what was tried in their place. */
    size_t place, count;
} now;

static const char *skip_space(const char *at) {
    return at + strspn(at, " \t\r\n");
}

static const char *string_end(const char *at) {
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

/* Of this process's processors: a busy machine delays nothing of what is measured. */
static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void replace_by_all(const char *begin, const char *end) {
    size_t before = (size_t)(begin - now.text), after = strlen(end);
    char *edited = malloc(before + LONG_TEXT + after + 1);
    if (!edited)
        exit(1);
    memcpy(edited, now.text, before);
    for (size_t i = now.place++ % EACH; i < VALUE_COUNT; i += EACH) {
        const char *value = values[i] ? values[i] : long_text;
        size_t length = strlen(value);
        memcpy(edited + before, value, length);
        memcpy(edited + before + length, end, after + 1);
        write_bytes(join(now.folder, now.file), edited, before + length + after);
        double start = seconds();
        graft_status status = now.use(now.folder);
        const char *message = status == GRAFT_OK ? "" : graft_last_error_message();
        char found[500];
        snprintf(found, sizeof found, "%s after %.1f s with %.30s at byte %zu of %s: %.200s",
                 graft_status_name(status), seconds() - start, value, before, now.file, message);
        claim(status == GRAFT_OK || is_refused(status), "another value is taken or refused", found);
        claim(strlen(message) < LONGEST_MESSAGE, "a message does not repeat the file", found);
        claim(seconds() - start < 10, "another value does not hold anybody up", found);
        now.count++;
    }
    free(edited);
}

/* Goes through the values in the object or array at `at`, replaces each if asked to, and returns
 * the end. */
static const char *walk(const char *at, int replaces) {
    char close = *at == '{' ? '}' : ']';
    at = skip_space(at + 1);
    while (*at != close) {
        if (close == '}')
            at = skip_space(skip_space(string_end(at)) + 1);
        const char *end;
        if (*at == '"')
            end = string_end(at);
        else if (*at == '{' || *at == '[')
            end = walk(at, replaces);
        else
            end = at + strcspn(at, " \t\r\n,]}");
        if (replaces)
            replace_by_all(at, end);
        at = skip_space(end);
        if (*at == ',')
            at = skip_space(at + 1);
    }
    return at + 1;
}

static void mutate(const char *folder, const char *file, use use, const char *sentence) {
    size_t size;
    char path[1100], found[100];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    char *text = read_file(path, &size);
    now.folder = folder;
    now.file = file;
    now.text = text;
    now.use = use;
    now.place = now.count = 0;
    graft_status status = use(folder);
    claim(status == GRAFT_OK, sentence, graft_last_error_message());
    walk(skip_space(text), 1);
    snprintf(found, sizeof found, "%zu replaced", now.count);
    claim(now.count >= 10 * VALUE_COUNT / EACH, sentence, found);
    free(text);
}

static void claim_fair(graft_status status, const char *sentence) {
    claim(status == GRAFT_OK || is_refused(status), sentence, graft_last_error_message());
}

static int32_t go_on(void *user_data, const graft_token *token) {
    (void)user_data, (void)token;
    return 0;
}

static void generate(graft_session *session, const graft_batch *batch) {
    graft_generate_options options;
    graft_generate_options_init(&options, sizeof options);
    options.maximum_tokens = 3;
    claim_fair(graft_session_generate(session, NULL, batch, &options, go_on, NULL),
               "generating works or is refused");
}

static void train(const graft_model *model, graft_adapter *adapter, const graft_batch *batch) {
    graft_trainer *trainer = NULL;
    graft_dataset *dataset = NULL;
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.epoch_count = 1;
    graft_status status = graft_trainer_create(model, adapter, &options, &trainer);
    claim_fair(status, "a trainer is made or refused");
    if (status != GRAFT_OK)
        return;
    need(graft_dataset_create(&dataset), "making a dataset");
    need(graft_dataset_append(dataset, batch), "filling it");
    claim_fair(graft_trainer_fit(trainer, dataset, dataset, NULL, NULL, NULL, NULL),
               "training works or is refused");
    graft_dataset_release(dataset);
    graft_trainer_release(trainer);
}

/* Embeds, classifies, generates and trains. */
static graft_status use_both(const graft_model *model, graft_adapter *adapter) {
    static const int32_t tokens[] = {0, 1, 2, 0, 1}, lengths[] = {3, 2}, labels[] = {0, 1};
    enum { CAPACITY = 1 << 12 };
    static float numbers[CAPACITY];
    graft_batch *batch = NULL;
    graft_session *session = NULL;
    graft_composition *composition = NULL;
    need(graft_batch_create(tokens, NULL, lengths, 2, &batch), "making a batch");
    need(graft_batch_set_integers(batch, "labels", labels, 2, 1), "labelling it");
    need(graft_session_create(model, NULL, &session), "making a session");
    if (adapter) {
        need(graft_composition_create(adapter, 1, &composition), "composing");
        need(graft_session_set_adapters(session, composition), "attaching");
    }
    graft_status status = graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, numbers, CAPACITY);
    claim_fair(graft_session_classify(session, batch, numbers, CAPACITY, NULL),
               "classifying works or is refused");
    generate(session, batch);
    if (adapter)
        train(model, adapter, batch);
    graft_session_release(session);
    graft_composition_release(composition);
    graft_batch_release(batch);
    return status;
}

static graft_status use_model(const char *folder) {
    graft_model *model = NULL;
    graft_status status = graft_model_load(folder, NULL, &model);
    if (status == GRAFT_OK)
        status = use_both(model, NULL);
    for (int32_t i = 0; status == GRAFT_OK && i < graft_adapter_method_count(); i++) {
        graft_adapter *adapter = NULL;
        status = graft_adapter_create(model, graft_adapter_method_name(i), NULL, 1, &adapter);
        if (status == GRAFT_OK)
            status = use_both(model, adapter);
        graft_adapter_release(adapter);
    }
    graft_model_release(model);
    return status;
}

static graft_status use_adapter(const char *folder) {
    graft_adapter *adapter = NULL;
    graft_status status = graft_adapter_load(tiny, folder, &adapter);
    if (status == GRAFT_OK)
        status = use_both(tiny, adapter);
    graft_adapter_release(adapter);
    return status;
}

static graft_status use_tokenizer(const char *folder) {
    static const char *const texts[] = {"one two", " \xc3\xa9\xe4\xb8\xad don't\n\n 12345 [CLS]x",
                                        "aaaaaaaab!"};
    graft_tokenizer *tokenizer = NULL;
    graft_status status = graft_tokenizer_load(folder, &tokenizer);
    for (int i = 0; status == GRAFT_OK && i < 3; i++) {
        char text[200];
        int64_t count = 0;
        graft_encoding *encoding = NULL;
        graft_status encoded =
            graft_tokenizer_encode(tokenizer, texts[i], i ? texts[0] : NULL, NULL, &encoding);
        claim_fair(encoded, "a text is encoded or refused");
        if (encoded == GRAFT_OK)
            claim_fair(graft_tokenizer_decode(tokenizer, graft_encoding_ids(encoding),
                                              graft_encoding_token_count(encoding), i, text, sizeof text,
                                              &count),
                       "tokens are decoded or refused");
        graft_encoding_release(encoding);
    }
    graft_tokenizer_release(tokenizer);
    return status;
}

/* The seeds of the fuzzing program: a file, a byte 0xff, and a text. */
static void mutate_tokenizer(const char *seed) {
    size_t size;
    char path[1100];
    snprintf(path, sizeof path, "%s/../Fuzz/seeds/Tokenizer/%s", goldens, seed);
    char *text = read_file(path, &size);
    const char *end = memchr(text, 0xff, size), *folder = copy_folder("lora/default", "mutated");
    write_bytes(join(folder, "tokenizer.json"), text, end ? (size_t)(end - text) : size);
    free(text);
    mutate(folder, "tokenizer.json", use_tokenizer, "a tokenizer with another value");
}

void test_mutations(void) {
    memset(long_text, 'x', LONG_TEXT);
    long_text[0] = long_text[LONG_TEXT - 1] = '"';
    mutate(copy_folder("bert-tiny/sequence-classification", "mutated"), "config.json", use_model,
           "a BERT with another value");
    mutate(copy_folder("llama-tiny/everything", "mutated"), "config.json", use_model,
           "a Llama with another value");
    mutate(copy_folder("roberta-tiny/sequence-classification", "mutated"), "config.json", use_model,
           "a RoBERTa with another value");
    mutate(copy_folder("bert-tiny/sharded", "mutated"), "model.safetensors.index.json", use_model,
           "an index of shards with another value");
    mutate(copy_folder("lora/patterns", "mutated"), "adapter_config.json", use_adapter,
           "an adapter_config.json with another value");
    mutate(copy_folder("bottleneck/by-layer/start", "mutated"), "adapter_config.json", use_adapter,
           "AdapterHub's settings with another value");
    mutate(copy_folder("bottleneck/seq-bn/start", "mutated"), "head_config.json", use_adapter,
           "a head_config.json with another value");
    static const char *const seeds[] = {"bytelevel", "split", "spm", "suffix", "unigram", "wordpiece"};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        mutate_tokenizer(seeds[i]);
}
