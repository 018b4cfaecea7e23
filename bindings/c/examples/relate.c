/* Learns of pairs of texts how they relate: a number, such as how alike they are, or a class, such
 * as whether one answers the other. Prints how well it does so with others before and after, and
 * what it says of the first of them.
 *
 *     relate values|classes MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS]
 *
 * A line of the files is: text TAB text TAB number or class. ADAPTER is the folder to save to. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PAIRS = 1 << 14, MOST_CLASSES = 64, MAXIMUM_LENGTH = 128, SHOWN = 3 };

static const char *classes[MOST_CLASSES];
static int32_t class_count;

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

/* Both texts of a pair are one row: the model reads them together. */
typedef struct pairs {
    const char *texts[MOST_PAIRS], *others[MOST_PAIRS];
    float values[MOST_PAIRS];
    int32_t numbers[MOST_PAIRS];
    int64_t count;
    graft_dataset *rows;
} pairs;

static int32_t class_number(const char *name) {
    for (int32_t i = 0; i < class_count; i++)
        if (strcmp(classes[i], name) == 0)
            return i;
    if (class_count == MOST_CLASSES)
        stop("more classes than this example takes", name);
    classes[class_count] = name;
    return class_count++;
}

static graft_batch *encode(const graft_tokenizer *tokenizer, const pairs *own, int64_t count) {
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = MAXIMUM_LENGTH;
    graft_batch *batch = NULL;
    check(graft_batch_encode(tokenizer, own->texts, own->others, count, &options, &batch), "reading pairs");
    return batch;
}

static pairs *read_pairs(const graft_tokenizer *tokenizer, const char *path, int has_values) {
    FILE *file = fopen(path, "rb");
    pairs *own = calloc(1, sizeof *own);
    if (!file || !own)
        stop("cannot read", path);
    static char line[1 << 16];
    while (own->count < MOST_PAIRS && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *copy = strdup(line), *first = copy ? strchr(copy, '\t') : NULL, *end = NULL;
        char *last = first ? strrchr(first + 1, '\t') : NULL;
        if (!last)
            stop("expected text TAB text TAB number or class", line);
        *first = *last++ = '\0';
        own->texts[own->count] = copy;
        own->others[own->count] = first + 1;
        if (!has_values)
            own->numbers[own->count] = class_number(last);
        else if ((own->values[own->count] = strtof(last, &end)), end == last || *end)
            stop("expected a number", last);
        own->count++;
    }
    fclose(file);
    graft_batch *batch = encode(tokenizer, own, own->count);
    check(has_values ? graft_batch_set_floats(batch, "targets", own->values, own->count, 1)
                     : graft_batch_set_integers(batch, "labels", own->numbers, own->count, 1),
          path);
    check(graft_dataset_create(&own->rows), path);
    check(graft_dataset_append(own->rows, batch), path);
    graft_batch_release(batch);
    return own;
}

static void print_measures(graft_trainer *trainer, const pairs *test, const char *when, int has_values) {
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_evaluate(trainer, test->rows, &evaluation), "evaluating");
    const char *first = has_values ? "pearson" : "accuracy", *second = has_values ? "spearman" : "macro_f1";
    printf("%s  %s %.4f  %s %.4f\n", when, first, graft_evaluation_value(evaluation, first), second,
           graft_evaluation_value(evaluation, second));
    graft_evaluation_release(evaluation);
}

/* Prints what the adapter says of the first pairs, and what was to be said. */
static void show(const graft_model *model, const graft_tokenizer *tokenizer, const graft_adapter *adapter,
                 const pairs *test, int has_values) {
    graft_composition *composition = NULL;
    graft_session *session = NULL;
    check(graft_composition_create(adapter, 1, &composition), "choosing the adapter");
    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_session_set_adapters(session, composition), "attaching it");
    int64_t count = test->count < SHOWN ? test->count : SHOWN;
    graft_batch *batch = encode(tokenizer, test, count);
    float numbers[SHOWN];
    int32_t found[SHOWN];
    check(has_values ? graft_session_classify(session, batch, numbers, SHOWN, NULL)
                     : graft_session_predict(session, batch, 1, found, numbers, SHOWN),
          "running the model");
    for (int64_t i = 0; i < count; i++) {
        printf("%s\n%s\n", test->texts[i], test->others[i]);
        if (has_values)
            printf("  %.2f, expected %.2f\n", numbers[i], test->values[i]);
        else
            printf("  %s %.2f, expected %s\n", classes[found[i]], numbers[i], classes[test->numbers[i]]);
    }
    graft_batch_release(batch);
    graft_session_release(session);
    graft_composition_release(composition);
}

int main(int argument_count, char **arguments) {
    int has_values = argument_count > 1 && strcmp(arguments[1], "values") == 0;
    if ((argument_count != 6 && argument_count != 7) || (!has_values && strcmp(arguments[1], "classes") != 0))
        stop("usage", "relate values|classes MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    check(graft_model_load(arguments[2], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[2], &tokenizer), "loading the tokenizer");
    pairs *train = read_pairs(tokenizer, arguments[3], has_values);
    const int32_t trained = class_count;
    pairs *test = read_pairs(tokenizer, arguments[4], has_values);
    if (class_count > trained)
        stop("a class that TRAIN has not", classes[trained]);

    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "making the adapter");
    const char *value = "value";
    check(graft_adapter_set_head(adapter, has_values ? "regression" : "sequence_classification",
                                 has_values ? &value : classes, has_values ? 1 : class_count,
                                 "{\"dense_layer\": true}"),
          "choosing the task");
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.learning_rate = 2e-3f;
    if (argument_count == 7)
        options.epoch_count = atoi(arguments[6]);
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    print_measures(trainer, test, "before", has_values);
    check(graft_trainer_fit(trainer, train->rows, NULL, NULL, NULL, NULL, NULL), "training");
    print_measures(trainer, test, "after ", has_values);
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[5]), arguments[5]);
    show(model, tokenizer, adapter, test, has_values);

    graft_dataset_release(train->rows);
    graft_dataset_release(test->rows);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
