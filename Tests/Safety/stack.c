/* Every kind of call is content with 64 kB of the calling thread's stack.
 *
 *     stack GOLDENS DATA SCRATCH
 *
 * Each call runs in a thread of its own, whose larger stack is filled with a pattern first: what is
 * no longer pattern was used. Then one thread that has 64 kB does all of it. An argument more lists
 * what each call needs. */
#define _GNU_SOURCE
#include <graft.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* What a host's libraries keep for each thread is taken from its stack, too. */
enum {
    LEAST_STACK = 64 << 10,
    OF_HOST = 8 << 10,
    WHOLE_STACK = 512 << 10,
    ROW_COUNT = 8,
    LENGTH = 100,
    LABEL_COUNT = 2,
    DEEPEST_GROUP = 31
};

static const char *goldens, *data, *scratch;
static int lists;

static graft_model *bert, *llama;
static graft_tokenizer *words, *stories, *gpt2, *qwen;
static graft_adapter *lora, *everywhere, *bottleneck, *speaker;
static graft_composition *composition;
static graft_dataset *dataset;
static graft_trainer *trainer;

static const char *path_of(const char *folder, const char *name) {
    static char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static graft_status make_batch(graft_model *model, graft_batch **out) {
    static int32_t tokens[ROW_COUNT * LENGTH], lengths[ROW_COUNT], labels[ROW_COUNT];
    int32_t longest = graft_model_maximum_length(model);
    for (int i = 0; i < ROW_COUNT * LENGTH; i++)
        tokens[i] = 3 + i * 7 % 100;
    for (int i = 0; i < ROW_COUNT; i++) {
        lengths[i] = longest < LENGTH ? longest : LENGTH;
        labels[i] = i % LABEL_COUNT;
    }
    graft_status status = graft_batch_create(tokens, NULL, lengths, ROW_COUNT, out);
    return status ? status : graft_batch_set_integers(*out, "labels", labels, ROW_COUNT, 1);
}

static graft_status load_bert(void) {
    return graft_model_load(path_of(goldens, "bert-tiny/base"), NULL, &bert);
}

static graft_status load_llama(void) {
    graft_model_options options;
    graft_model_options_init(&options, sizeof options);
    options.precision = GRAFT_PRECISION_BFLOAT16;
    return graft_model_load(path_of(data, "models/stories260K/hf"), &options, &llama);
}

static graft_status load_words(void) {
    return graft_tokenizer_load(scratch, &words);
}
static graft_status load_stories(void) {
    return graft_tokenizer_load(path_of(data, "models/stories260K/hf"), &stories);
}
static graft_status load_gpt2(void) {
    return graft_tokenizer_load(path_of(data, "tokenizers/gpt2"), &gpt2);
}
static graft_status load_qwen(void) {
    return graft_tokenizer_load(path_of(data, "tokenizers/qwen-tiktoken"), &qwen);
}

static graft_status encode(void) {
    char text[4000] = "";
    static graft_tokenizer **const all[] = {&words, &stories, &gpt2, &qwen};
    graft_status status = GRAFT_OK;
    for (size_t i = 0; i + 60 < sizeof text; i = strlen(text))
        snprintf(text + i, sizeof text - i,
                 "It's 42 na\xc3\xafve words,\t(\xe4\xbd\xa0\xe5\xa5\xbd) a%zub!\r\n", i);
    for (size_t i = 0; i < sizeof all / sizeof *all && status == GRAFT_OK; i++) {
        graft_encoding *encoding = NULL;
        graft_batch *batch = NULL;
        const char *texts[] = {text, "short", "a"};
        char decoded[8000];
        int64_t count = 0;
        status = graft_tokenizer_encode(*all[i], text, "and a pair", NULL, &encoding);
        if (status == GRAFT_OK)
            status = graft_batch_encode(*all[i], texts, NULL, 3, NULL, &batch);
        if (status == GRAFT_OK)
            status = graft_tokenizer_decode(*all[i], graft_encoding_ids(encoding),
                                            graft_encoding_token_count(encoding), 1, decoded, sizeof decoded,
                                            &count);
        graft_batch_release(batch);
        graft_encoding_release(encoding);
    }
    return status;
}

/* Templates within which all is as deep as it may be, and deeper: expressions, statements, macros
 * that call themselves, and values. */
static graft_status use_templates(void) {
    static const struct {
        const char *start, *opening, *middle, *closing, *end;
    } nestings[] = {
        {"{{ ", "(", "1", ")", " }}"},
        {"{{ ", "[", "1", "]", "|tojson }}"},
        {"{{ ", "1 if not (", "1", ") else 2", " }}"},
        {"{{ ", "messages|list|map('upper', ", "1", ")", " }}"},
        {"{{ ", "-messages[", "0", "].x.y()", " }}"},
        {"", "{% if 1 %}", "x", "{% endif %}", ""},
        {"", "{% for a in messages %}", "{{ a.b(c, d=[e|upper]) is defined }}", "{% endfor %}", ""},
        {"", "{% set a %}", "{{ messages }}", "{% endset %}", ""},
        {"", "{% macro m(a) %}", "x", "{{ m(1) }}{% endmacro %}{{ m(2) }}", ""},
        {"{% macro m(n) %}{% for i in [n] %}{% if i %}{{ m([i])|trim }}{% endif %}{% endfor %}{% endmacro "
         "%}{{ m(1) }}",
         "", "", "", ""},
    };
    static char messages[400], options[8000];
    strcpy(messages, "[{\"role\": \"user\", \"content\": ");
    for (int i = 0; i < 55; i++)
        strcat(messages, "[");
    for (int i = 0; i < 55; i++)
        strcat(messages, "]");
    strcat(messages, "}]");
    for (size_t i = 0; i < sizeof nestings / sizeof *nestings; i++)
        for (int depth = 1; depth < 60; depth++) {
            int64_t count = 0;
            strcpy(options,
                   "{\"chat_template\": \"{{ messages|tojson }}{{ messages }}{{ messages == messages[:] }}");
            strcat(options, nestings[i].start);
            for (int j = 0; j < depth; j++)
                strcat(options, nestings[i].opening);
            strcat(options, nestings[i].middle);
            for (int j = 0; j < depth; j++)
                strcat(options, nestings[i].closing);
            strcat(options, nestings[i].end);
            strcat(options, "\"}");
            graft_status status = graft_tokenizer_apply_template(words, messages, options, NULL, 0, &count);
            if (status != GRAFT_OK && status != GRAFT_ERROR_UNSUPPORTED &&
                status != GRAFT_ERROR_INVALID_ARGUMENT)
                return status;
        }
    return GRAFT_OK;
}

/* Groups of every kind within each other, as deep as expressions may be, and deeper. One more
 * stands around them. */
static graft_status use_parentheses(void) {
    static const struct {
        const char *open, *close;
    } groups[] = {{"(", ")"},   {"(", ")*"},     {"(?:", ")+?"},  {"(?>", ")++"},  {"(?=", ")?"},
                  {"(?!", ")"}, {"(?<=", "e)?"}, {"(a|", "|b)?"}, {"(", "){1,2}"}, {"(?i:a", ")|b"}};
    static const int depths[] = {1, 8, DEEPEST_GROUP, DEEPEST_GROUP + 1, 240};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
            static char settings[4000];
            graft_adapter *adapter = NULL;
            strcpy(settings, "{\"target_modules\": \".*(query|key)");
            for (int d = 0; d < depths[i]; d++)
                strcat(settings, groups[g].open);
            for (int d = 0; d < depths[i]; d++)
                strcat(settings, groups[g].close);
            strcat(settings, "\"}");
            graft_status status = graft_adapter_create(bert, "lora", settings, 0, &adapter);
            graft_adapter_release(adapter);
            if (depths[i] > DEEPEST_GROUP ? status != GRAFT_ERROR_INVALID_ARGUMENT
                                          : status == GRAFT_ERROR_INTERNAL)
                return status ? status : GRAFT_ERROR_INTERNAL;
        }
    return GRAFT_OK;
}

/* JSON that is nested as deeply as it is read at all, and deeper. */
static graft_status use_deep_json(void) {
    for (int depth = 1; depth <= 4096; depth *= 2) {
        static char settings[3 * 4096 + 100];
        graft_adapter *adapter = NULL;
        strcpy(settings, "{\"rank_pattern\": ");
        memset(settings + strlen(settings), '[', (size_t)depth);
        settings[16 + depth] = '\0';
        memset(settings + strlen(settings), ']', (size_t)depth);
        strcpy(settings + 16 + 2 * depth, "}");
        graft_status status = graft_adapter_create(bert, "lora", settings, 0, &adapter);
        graft_adapter_release(adapter);
        if (status == GRAFT_OK)
            return GRAFT_ERROR_INTERNAL;
    }
    return GRAFT_OK;
}

static graft_status create_adapters(void) {
    static const char *const labels[] = {"a", "b"};
    graft_status status = graft_adapter_create(bert, "lora", "{\"lora_dropout\": 0.1}", 0, &lora);
    if (status == GRAFT_OK)
        status = graft_adapter_set_head(lora, "sequence_classification", labels, LABEL_COUNT, NULL);
    if (status == GRAFT_OK)
        status = graft_adapter_create(
            bert, "lora", "{\"target_modules\": \"all-linear\", \"bias\": \"all\", \"use_rslora\": true}", 0,
            &everywhere);
    if (status == GRAFT_OK)
        status = graft_adapter_create(bert, "bottleneck", "{\"config\": \"double_seq_bn\"}", 0, &bottleneck);
    if (status == GRAFT_OK)
        status = graft_adapter_create(llama, "lora", "{\"target_modules\": \"all-linear\"}", 0, &speaker);
    return status;
}

static graft_status save_adapters(void) {
    graft_status status = graft_adapter_save(lora, path_of(scratch, "lora"));
    return status ? status : graft_adapter_save(bottleneck, path_of(scratch, "bottleneck"));
}

static graft_status load_adapters(void) {
    static const char *const names[] = {"lora", "bottleneck"};
    graft_status status = GRAFT_OK;
    for (int i = 0; i < 2 && status == GRAFT_OK; i++) {
        graft_adapter *adapter = NULL;
        status = graft_adapter_load(bert, path_of(scratch, names[i]), &adapter);
        graft_adapter_release(adapter);
    }
    return status;
}

static graft_status compose(void) {
    return graft_composition_create(lora, 0.5f, &composition);
}

static graft_status run_session(graft_model *model, const graft_adapter *adapter) {
    static float out[ROW_COUNT * LENGTH * 64];
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    graft_composition *of_adapter = NULL;
    graft_status status = graft_session_create(model, NULL, &session);
    if (status == GRAFT_OK)
        status = make_batch(model, &batch);
    if (status == GRAFT_OK && adapter)
        status = graft_composition_create(adapter, 1, &of_adapter);
    if (status == GRAFT_OK)
        status = graft_session_set_adapters(session, of_adapter);
    if (status == GRAFT_OK)
        status = graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, out, sizeof out / sizeof *out);
    if (status == GRAFT_OK)
        status = graft_session_hidden_states(session, batch, 1, out, sizeof out / sizeof *out);
    if (status == GRAFT_OK && adapter == lora)
        status = graft_session_classify(session, batch, out, sizeof out / sizeof *out, NULL);
    graft_batch_release(batch);
    graft_composition_release(of_adapter);
    graft_session_release(session);
    return status;
}

static graft_status run_bert(void) {
    return run_session(bert, NULL);
}
static graft_status run_lora(void) {
    return run_session(bert, lora);
}
static graft_status run_bottleneck(void) {
    return run_session(bert, bottleneck);
}
static graft_status run_llama(void) {
    return run_session(llama, speaker);
}

static int32_t count_token(void *count, const graft_token *token) {
    (void)token;
    ++*(int *)count;
    return 0;
}

static graft_status generate(void) {
    int count = 0;
    const char *texts[] = {"Once upon a time", "The dog"};
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    graft_generate_options options;
    graft_generate_options_init(&options, sizeof options);
    options.maximum_tokens = 12;
    options.temperature = 0.8f;
    options.top_k = 20;
    /* Groups as deep as they go, and values that may be as deep. */
    const char *constraints[] = {
        "{\"regex\": "
        "\"((((((((((((((((a|b)+|c){1,2}|d)+|e)*x)+|f)*|g)+|h)+|i)+|j)+k)+|l)+|m)+|n)+|o)+|p){2,3}\"}",
        "{\"json_schema\": {\"items\": {\"items\": {\"properties\": {\"a\": {\"type\": [\"array\", "
        "\"string\"]}}}}}}"};
    options.constraints = constraints;
    graft_status status = graft_session_create(llama, NULL, &session);
    if (status == GRAFT_OK)
        status = graft_batch_encode(stories, texts, NULL, 2, NULL, &batch);
    if (status == GRAFT_OK)
        status = graft_session_generate(session, stories, batch, &options, count_token, &count);
    graft_batch_release(batch);
    graft_session_release(session);
    return status ? status : count == 0 ? GRAFT_ERROR_INTERNAL : GRAFT_OK;
}

static graft_status create_trainer(void) {
    static char checkpoint[1000];
    graft_batch *batch = NULL;
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    snprintf(checkpoint, sizeof checkpoint, "%s", path_of(scratch, "checkpoint"));
    options.checkpoint_path = checkpoint;
    options.epoch_count = 2;
    options.rows_per_batch = 3;
    options.maximum_gradient_norm = 1;
    graft_status status = make_batch(bert, &batch);
    if (status == GRAFT_OK)
        status = graft_dataset_create(&dataset);
    if (status == GRAFT_OK)
        status = graft_dataset_append(dataset, batch);
    graft_batch_release(batch);
    return status ? status : graft_trainer_create(bert, lora, &options, &trainer);
}

static graft_status step(void) {
    graft_batch *batch = NULL;
    graft_status status = make_batch(bert, &batch);
    if (status == GRAFT_OK)
        status = graft_trainer_step(trainer, batch, NULL);
    graft_batch_release(batch);
    return status;
}

static graft_status fit(void) {
    return graft_trainer_fit(trainer, dataset, dataset, NULL, NULL, NULL, NULL);
}

static graft_status save_and_resume(void) {
    graft_status status = graft_trainer_save(trainer, path_of(scratch, "saved"));
    return status ? status : graft_trainer_resume(trainer, path_of(scratch, "saved"));
}

static graft_status evaluate(void) {
    graft_evaluation *evaluation = NULL;
    int64_t confusion[LABEL_COUNT * LABEL_COUNT];
    graft_status status = graft_trainer_evaluate(trainer, dataset, &evaluation);
    if (!status)
        status = graft_evaluation_confusion(evaluation, confusion, LABEL_COUNT * LABEL_COUNT);
    graft_evaluation_release(evaluation);
    return status;
}

static graft_status fail(void) {
    graft_model *model = NULL;
    graft_adapter *adapter = NULL;
    return graft_model_load("/no/such/folder", NULL, &model) == GRAFT_OK ||
                   graft_adapter_load(bert, path_of(goldens, "llama-tiny"), &adapter) == GRAFT_OK ||
                   graft_set_executor("gears") == GRAFT_OK
               ? GRAFT_ERROR_INTERNAL
               : GRAFT_OK;
}

static graft_status release(void) {
    graft_trainer_release(trainer);
    graft_dataset_release(dataset);
    graft_composition_release(composition);
    graft_adapter_release(lora);
    graft_adapter_release(everywhere);
    graft_adapter_release(bottleneck);
    graft_adapter_release(speaker);
    graft_tokenizer_release(words);
    graft_tokenizer_release(stories);
    graft_tokenizer_release(gpt2);
    graft_tokenizer_release(qwen);
    graft_model_release(bert);
    graft_model_release(llama);
    bert = llama = NULL;
    words = stories = gpt2 = qwen = NULL;
    lora = everywhere = bottleneck = speaker = NULL;
    composition = NULL;
    dataset = NULL;
    trainer = NULL;
    return GRAFT_OK;
}

static const struct {
    const char *name;
    graft_status (*call)(void);
} calls[] = {
    {"loading BERT", load_bert},
    {"loading Llama", load_llama},
    {"loading a vocabulary", load_words},
    {"loading a tokenizer with byte fallback", load_stories},
    {"rendering chat templates", use_templates},
    {"loading GPT-2's tokenizer", load_gpt2},
    {"loading Qwen's tokenizer", load_qwen},
    {"encoding and decoding", encode},
    {"expressions with parentheses", use_parentheses},
    {"nested JSON", use_deep_json},
    {"creating adapters", create_adapters},
    {"saving adapters", save_adapters},
    {"loading adapters", load_adapters},
    {"composing", compose},
    {"running BERT", run_bert},
    {"running LoRA", run_lora},
    {"running bottlenecks", run_bottleneck},
    {"running Llama", run_llama},
    {"generating", generate},
    {"creating a trainer", create_trainer},
    {"a training step", step},
    {"a whole training", fit},
    {"saving and resuming", save_and_resume},
    {"evaluating", evaluate},
    {"failing", fail},
    {"releasing", release},
};

enum { CALL_COUNT = sizeof calls / sizeof *calls };

/* One call, or all where there is none. */
static void *run(void *call) {
    static char wrong[400];
    for (size_t i = 0; i < CALL_COUNT; i++) {
        if (call && call != &calls[i])
            continue;
        graft_status status = calls[i].call();
        if (status != GRAFT_OK) {
            snprintf(wrong, sizeof wrong, "%s: %s: %s", calls[i].name, graft_status_name(status),
                     graft_last_error_message());
            return wrong;
        }
    }
    return NULL;
}

/* Runs in a thread that has so much stack; returns what went wrong, or NULL, and how much was
 * used. */
static const char *run_on(size_t size, void *call, size_t *used) {
    pthread_attr_t attributes;
    pthread_t thread;
    void *wrong = NULL;
    unsigned char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return "no memory";
    memset(stack, 0x5a, size);
    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstack(&attributes, stack, size) != 0 ||
        pthread_create(&thread, &attributes, run, call) != 0)
        return "there is no thread";
    pthread_join(thread, &wrong);
    size_t untouched = 0;
    while (untouched < size && stack[untouched] == 0x5a)
        untouched++;
    *used = size - untouched;
    munmap(stack, size);
    return wrong;
}

int main(int argument_count, char **arguments) {
    int held = 0, failed = 0;
    size_t used = 0;
    if (argument_count < 4)
        return 2;
    goldens = arguments[1];
    data = arguments[2];
    scratch = arguments[3];
    lists = argument_count > 4;
    FILE *vocabulary = fopen(path_of(scratch, "vocab.txt"), "w");
    if (!vocabulary || fputs("[UNK]\n[CLS]\n[SEP]\na\n##a\nshort\n", vocabulary) < 0 ||
        fclose(vocabulary) != 0)
        return 1;
    for (size_t i = 0; i < CALL_COUNT; i++) {
        const char *wrong = run_on(WHOLE_STACK, (void *)(uintptr_t)&calls[i], &used);
        if (lists)
            printf("%7zu bytes: %s\n", used, calls[i].name);
        if (wrong || used > LEAST_STACK - OF_HOST) {
            printf("FAILED  %s takes at most 56 kB of stack: %zu bytes%s%s\n", calls[i].name, used,
                   wrong ? ", " : "", wrong ? wrong : "");
            failed++;
        } else {
            held++;
        }
    }
    const char *wrong = failed ? "not tried" : run_on(LEAST_STACK, NULL, &used);
    if (wrong) {
        printf("FAILED  a thread with 64 kB of stack can do everything: %s\n", wrong);
        failed++;
    } else {
        held++;
    }
    printf("%d held\n", held);
    return failed != 0;
}
