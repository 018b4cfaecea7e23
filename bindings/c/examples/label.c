/* Finds all labels that a text has, of which it may have any number, with a LoRA adapter that
 * learns them from others.
 *
 *     label MODEL TRAIN.tsv VALIDATION.tsv TEST.tsv ADAPTER [EPOCHS]
 *
 * A line of a file is: text TAB labels, with commas between them, or nothing behind the tab. From
 * which probability on a text has a label is chosen for each label on the texts of VALIDATION, and
 * measured on those of TEST beside one half for all. ADAPTER is the folder to save to. */
#define _POSIX_C_SOURCE 200809L /* strdup, strtok_r */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXTS = 1 << 14, MOST_LABELS = 64, MAXIMUM_LENGTH = 128 };

static const char *labels[MOST_LABELS];
static int32_t label_count;

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

static void *allocate(int64_t count, size_t size) {
    void *memory = calloc((size_t)count, size);
    if (!memory)
        stop("out of memory", "allocating");
    return memory;
}

typedef struct texts {
    const char *texts[MOST_TEXTS];
    char has[MOST_TEXTS][MOST_LABELS]; /* 1 for the labels of a text */
    int64_t count;
    graft_batch *batch;
} texts;

/* Number of the label `name`. Only the first file adds those that are new. */
static int32_t label_number(const char *name, int may_add) {
    for (int32_t i = 0; i < label_count; i++)
        if (strcmp(labels[i], name) == 0)
            return i;
    if (!may_add || label_count == MOST_LABELS)
        stop(may_add ? "more labels than this example takes" : "a label that TRAIN has not", name);
    labels[label_count] = name;
    return label_count++;
}

static texts *read_texts(const graft_tokenizer *tokenizer, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        stop("cannot read", path);
    texts *own = allocate(1, sizeof *own);
    static char line[1 << 16];
    int is_first = label_count == 0;
    while (own->count < MOST_TEXTS && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *copy = strdup(line), *tab = copy ? strrchr(copy, '\t') : NULL, *rest = NULL;
        if (!tab)
            stop("expected text TAB labels", line);
        *tab = '\0';
        own->texts[own->count] = copy;
        for (char *name = strtok_r(tab + 1, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
            own->has[own->count][label_number(name, is_first)] = 1;
        own->count++;
    }
    fclose(file);
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = MAXIMUM_LENGTH;
    check(graft_batch_encode(tokenizer, own->texts, NULL, own->count, &options, &own->batch), path);
    return own;
}

static graft_dataset *dataset_of(const texts *own) {
    float *targets = allocate(own->count * label_count, sizeof *targets);
    for (int64_t i = 0; i < own->count * label_count; i++)
        targets[i] = own->has[i / label_count][i % label_count];
    graft_dataset *dataset = NULL;
    check(graft_batch_set_floats(own->batch, "targets", targets, own->count, label_count), "labelling rows");
    check(graft_dataset_create(&dataset), "making a data set");
    check(graft_dataset_append(dataset, own->batch), "filling it");
    free(targets);
    return dataset;
}

/* The probability of each label of each text: [count, label_count]. */
static double *probabilities_of(graft_session *session, const texts *own) {
    int64_t count = own->count * label_count;
    int32_t *numbers = allocate(count, sizeof *numbers);
    float *likeliest = allocate(count, sizeof *likeliest);
    double *all = allocate(count, sizeof *all);
    check(graft_session_predict(session, own->batch, label_count, numbers, likeliest, count), "running");
    for (int64_t i = 0; i < count; i++)
        all[i / label_count * label_count + numbers[i]] = (double)likeliest[i];
    free(numbers);
    free(likeliest);
    return all;
}

/* Fills `table` [label_count, columns] of an evaluation of scores from `threshold` on. */
static graft_evaluation *measure(const texts *own, const double *scores, const char *name, double *table,
                                 int32_t columns) {
    int64_t count = own->count * label_count;
    int32_t *truth = allocate(count, sizeof *truth);
    for (int64_t i = 0; i < count; i++)
        truth[i] = own->has[i / label_count][i % label_count];
    graft_evaluation *evaluation = NULL;
    check(graft_evaluate_label_sets(truth, scores, NULL, own->count, label_count, NULL, &evaluation),
          "measuring");
    check(graft_evaluation_table(evaluation, name, table, (int64_t)label_count * columns, NULL, NULL), name);
    free(truth);
    return evaluation;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 6 && argument_count != 7)
        stop("usage", "label MODEL TRAIN.tsv VALIDATION.tsv TEST.tsv ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    graft_composition *composition = NULL;
    graft_session *session = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    texts *parts[3]; /* to train, for validation, to test */
    for (int i = 0; i < 3; i++)
        parts[i] = read_texts(tokenizer, arguments[2 + i]);
    graft_dataset *train = dataset_of(parts[0]);

    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "making the adapter");
    check(graft_adapter_set_head(adapter, "multi_label_classification", labels, label_count,
                                 "{\"pooling\": \"mean\"}"),
          "choosing the task");
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.learning_rate = 2e-3f;
    if (argument_count == 7)
        options.epoch_count = atoi(arguments[6]);
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    check(graft_trainer_fit(trainer, train, NULL, NULL, NULL, NULL, NULL), "training");
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[5]), "saving the adapter");

    check(graft_composition_create(adapter, 1, &composition), "choosing the adapter");
    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_session_set_adapters(session, composition), "attaching it");
    double *validation = probabilities_of(session, parts[1]), *test = probabilities_of(session, parts[2]);
    /* Threshold and F1 of each label; precision, recall, F1 and weight. */
    double best[MOST_LABELS][2], half[MOST_LABELS][4], own[MOST_LABELS][4];
    graft_evaluation_release(measure(parts[1], validation, "thresholds", best[0], 2));
    graft_evaluation *with_half = measure(parts[2], test, "labels", half[0], 4);
    for (int64_t i = 0; i < parts[2]->count * label_count; i++) {
        const double *found = best[i % label_count];
        /* A label that is never found keeps one half. */
        test[i] = test[i] >= (found[1] > 0 ? found[0] : 0.5);
    }
    graft_evaluation *with_own = measure(parts[2], test, "labels", own[0], 4);
    printf("%-16s threshold  F1      F1 at one half\n", "label");
    for (int32_t i = 0; i < label_count; i++)
        printf("%-16s %.4f     %.4f  %.4f\n", labels[i], best[i][1] > 0 ? best[i][0] : 0.5, own[i][2],
               half[i][2]);
    printf("macro F1 %.4f, %.4f at one half\n", graft_evaluation_value(with_own, "macro_f1"),
           graft_evaluation_value(with_half, "macro_f1"));
    graft_evaluation_release(with_half);
    graft_evaluation_release(with_own);
    free(validation);
    free(test);
    graft_session_release(session);
    graft_composition_release(composition);
    graft_dataset_release(train);
    for (int i = 0; i < 3; i++)
        graft_batch_release(parts[i]->batch);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
