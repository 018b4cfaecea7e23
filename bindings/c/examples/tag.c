/* Finds named entities in texts, with a LoRA adapter that learns them from others.
 *
 *     tag MODEL TRAIN.conll TEST.conll ADAPTER [EPOCHS]
 *
 * A line of a file is: word TAB tag, where a tag is O, or B- or I- before what the entity is; an
 * empty line ends a text. Texts that are too long are read in windows. */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 128, STRIDE = 32, MAXIMUM_TAGS = 256, MAXIMUM_TEXTS = 1 << 16, MAXIMUM_WORDS = 1 << 20 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        stop("out of memory", "allocating");
    return memory;
}

static char *copied(const char *text) {
    char *copy = allocate(strlen(text) + 1, 1);
    return strcpy(copy, text);
}

/* Tags in the order in which they come. */
static const char *tags[MAXIMUM_TAGS];
static int32_t tag_count;

static int32_t tag_number(const char *name) {
    for (int32_t i = 0; i < tag_count; i++)
        if (strcmp(tags[i], name) == 0)
            return i;
    if (tag_count == MAXIMUM_TAGS)
        stop("too many tags", name);
    tags[tag_count] = copied(name);
    return tag_count++;
}

/* Words with blanks between them, and what they are. */
typedef struct documents {
    const char *texts[MAXIMUM_TEXTS];
    graft_encoding *encodings[MAXIMUM_TEXTS];
    int64_t first_words[MAXIMUM_TEXTS + 1], first_tokens[MAXIMUM_TEXTS + 1], count;
    int32_t words[2 * MAXIMUM_WORDS], word_tags[MAXIMUM_WORDS];
    graft_windows *windows;
} documents;

/* Keeps a text whose words were read, and all of its tokens. */
static void add(documents *own, const graft_tokenizer *tokenizer, const char *text, int64_t end_word) {
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = GRAFT_UNLIMITED_LENGTH;
    int64_t row = own->count++;
    if (row == MAXIMUM_TEXTS)
        stop("too many texts", text);
    own->texts[row] = copied(text);
    check(graft_tokenizer_encode(tokenizer, text, NULL, &options, &own->encodings[row]), text);
    own->first_words[row + 1] = end_word;
    own->first_tokens[row + 1] = own->first_tokens[row] + graft_encoding_token_count(own->encodings[row]);
}

static documents *read_documents(const graft_tokenizer *tokenizer, const char *path) {
    FILE *file = fopen(path, "r");
    if (!file)
        stop("cannot read", path);
    documents *own = allocate(1, sizeof *own);
    static char line[1 << 12], text[1 << 20];
    size_t length = 0;
    int64_t word = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (!tab || tab == line) {
            if (length > 0)
                add(own, tokenizer, text, word);
            length = 0;
            continue;
        }
        *tab = '\0';
        size_t size = strlen(line);
        if (word == MAXIMUM_WORDS || length + size + 2 > sizeof text)
            stop("too many words", path);
        if (length > 0)
            text[length++] = ' ';
        memcpy(text + length, line, size + 1);
        own->words[2 * word] = (int32_t)length;
        own->words[2 * word + 1] = (int32_t)(length += size);
        own->word_tags[word++] = tag_number(tab + 1);
    }
    if (length > 0)
        add(own, tokenizer, text, word);
    fclose(file);
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = WINDOW;
    check(graft_windows_encode(tokenizer, NULL, own->texts, own->count, &options, STRIDE, &own->windows),
          path);
    return own;
}

/* The windows as rows whose tokens have labels. */
static graft_dataset *labelled(const documents *own) {
    int64_t count = own->first_tokens[own->count];
    int32_t *labels = allocate((size_t)count, sizeof *labels);
    for (int64_t i = 0; i < own->count; i++) {
        int64_t first = own->first_words[i], token = own->first_tokens[i];
        check(graft_encoding_label_words(own->encodings[i], own->words + 2 * first, own->word_tags + first,
                                         own->first_words[i + 1] - first, tags, tag_count, 0, labels + token,
                                         own->first_tokens[i + 1] - token),
              own->texts[i]);
    }
    graft_batch *batch = NULL;
    graft_dataset *dataset = NULL;
    check(graft_windows_batch(own->windows, &batch), "making rows");
    int64_t row_tokens = graft_batch_token_count(batch);
    int32_t *spread = allocate((size_t)row_tokens, sizeof *spread);
    check(graft_windows_spread(own->windows, labels, count, tags, tag_count, spread, row_tokens),
          "labelling windows");
    check(graft_batch_set_integers(batch, "token_labels", spread, row_tokens, 1), "labelling rows");
    check(graft_dataset_create(&dataset), "making a data set");
    check(graft_dataset_append(dataset, batch), "filling it");
    graft_batch_release(batch);
    free(spread);
    free(labels);
    return dataset;
}

/* Prints the first entities that are found in texts. */
static void tag(graft_session *session, const documents *own) {
    graft_batch *batch = NULL;
    check(graft_windows_batch(own->windows, &batch), "making rows");
    int64_t row_tokens = graft_batch_token_count(batch), count = own->first_tokens[own->count];
    int32_t *found = allocate((size_t)row_tokens, sizeof *found),
            *labels = allocate((size_t)count, sizeof *labels);
    check(graft_session_predict(session, batch, 1, found, NULL, row_tokens), "running the model");
    check(graft_windows_join(own->windows, found, row_tokens, labels, count), "joining windows");
    int64_t printed = 0;
    for (int64_t i = 0; i < own->count && printed < 5; i++) {
        graft_entity entities[64];
        int64_t first = own->first_words[i], entity_count = 0;
        check(graft_encoding_entities(own->encodings[i], own->words + 2 * first,
                                      own->first_words[i + 1] - first, labels + own->first_tokens[i], tags,
                                      tag_count, entities, 64, &entity_count),
              own->texts[i]);
        for (int64_t j = 0; j < entity_count && printed < 5; j++, printed++)
            printf("%s: %.*s\n", entities[j].type, (int)(entities[j].end_byte - entities[j].first_byte),
                   own->texts[i] + entities[j].first_byte);
    }
    free(labels);
    free(found);
    graft_batch_release(batch);
}

static void release(documents *own) {
    graft_windows_release(own->windows);
    for (int64_t i = 0; i < own->count; i++)
        graft_encoding_release(own->encodings[i]);
    free(own);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 5 && argument_count != 6)
        stop("usage", "tag MODEL TRAIN.conll TEST.conll ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    graft_session *session = NULL;
    graft_composition *composition = NULL;
    graft_evaluation *evaluation = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    documents *train = read_documents(tokenizer, arguments[2]);
    documents *test = read_documents(tokenizer, arguments[3]);
    graft_dataset *training_set = labelled(train), *test_set = labelled(test);
    printf("%lld texts in %lld windows, %d tags\n", (long long)train->count,
           (long long)graft_dataset_row_count(training_set), tag_count);
    check(graft_adapter_create(model, "lora", "{\"r\": 16, \"lora_alpha\": 32}", 0, &adapter),
          "making the adapter");
    check(graft_adapter_set_head(adapter, "token_classification", tags, tag_count, NULL),
          "choosing the task");

    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.learning_rate = 2e-3f;
    options.rows_per_batch = 8;
    options.epoch_count = argument_count == 6 ? atoi(arguments[5]) : 3;
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    check(graft_trainer_fit(trainer, training_set, NULL, NULL, NULL, NULL, NULL), "training");
    check(graft_trainer_evaluate(trainer, test_set, &evaluation), "evaluating");
    printf("entity F1 %.4f\n", graft_evaluation_value(evaluation, "entity_f1"));
    graft_evaluation_release(evaluation);
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[4]), "saving the adapter");

    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_composition_create(adapter, 1, &composition), "choosing the adapter");
    check(graft_session_set_adapters(session, composition), "attaching it");
    tag(session, test);
    graft_composition_release(composition);
    graft_session_release(session);
    graft_dataset_release(training_set);
    graft_dataset_release(test_set);
    release(train);
    release(test);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
