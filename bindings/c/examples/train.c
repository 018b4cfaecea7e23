/* Trains a LoRA adapter that classifies text, measures it, and saves it.
 *
 *     train MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS]
 *
 * A line of the files is: text TAB label.
 */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LABEL_LIMIT = 256, MAXIMUM_LENGTH = 128 };

static const char *labels[LABEL_LIMIT];
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

/* Number of the label `name`; a new one is added. */
static int32_t label_number(const char *name) {
    for (int32_t i = 0; i < label_count; i++)
        if (strcmp(labels[i], name) == 0)
            return i;
    if (label_count == LABEL_LIMIT)
        stop("more labels than this example takes", name);
    labels[label_count] = name;
    return label_count++;
}

/* The content of a file as one string, which lives as long as the program: labels point into it. */
static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        stop("cannot read", path);
    size_t size = (size_t)ftell(file);
    char *content = malloc(size + 1);
    rewind(file);
    if (!content || fread(content, 1, size, file) != size)
        stop("cannot read", path);
    fclose(file);
    content[size] = '\0';
    return content;
}

/* Encodes a file of `text TAB label` lines. */
static graft_dataset *read_dataset(const graft_tokenizer *tokenizer, const char *path) {
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = MAXIMUM_LENGTH;
    graft_dataset *dataset = NULL;
    check(graft_dataset_create(&dataset), path);
    for (char *line = strtok(read_file(path), "\r\n"); line; line = strtok(NULL, "\r\n")) {
        char *tab = strrchr(line, '\t');
        if (!tab)
            stop("expected text TAB label", line);
        *tab = '\0';
        const char *text = line;
        int32_t label = label_number(tab + 1);
        graft_batch *row = NULL;
        check(graft_batch_encode(tokenizer, &text, NULL, 1, &options, &row), text);
        check(graft_batch_set_integers(row, "labels", &label, 1, 1), text);
        check(graft_dataset_append(dataset, row), text);
        graft_batch_release(row);
    }
    return dataset;
}

/* One line that is written over on a terminal; elsewhere a line for each tenth of the steps. */
static int32_t print_progress(void *user_data, const graft_metrics *metrics) {
    const int is_terminal = *(const int *)user_data;
    if (is_terminal ||
        metrics->step * 10 / metrics->total_steps > (metrics->step - 1) * 10 / metrics->total_steps)
        fprintf(stderr, "%sstep %lld/%lld  loss %.4f  %.0f tokens/s%s", is_terminal ? "\r" : "",
                (long long)metrics->step, (long long)metrics->total_steps, metrics->loss,
                metrics->tokens_per_second, is_terminal ? "\033[K" : "\n");
    if (is_terminal && metrics->step == metrics->total_steps)
        fputc('\n', stderr);
    return 0; /* anything else would stop the training */
}

int main(int argument_count, char **arguments) {
    if (argument_count != 5 && argument_count != 6)
        stop("usage", "train MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    graft_dataset *training_set = read_dataset(tokenizer, arguments[2]);
    graft_dataset *test_set = read_dataset(tokenizer, arguments[3]);

    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "making the adapter");
    /* The mean is for sentence encoders; without it the head is one that opens in PEFT. */
    check(graft_adapter_set_head(adapter, "sequence_classification", labels, label_count,
                                 "{\"pooling\": \"mean\"}"),
          "adding the head");

    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    if (argument_count == 6)
        options.epoch_count = atoi(arguments[5]);
    int is_terminal = isatty(STDERR_FILENO);
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    check(graft_trainer_fit(trainer, training_set, NULL, print_progress, &is_terminal, NULL, NULL),
          "training");
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_evaluate(trainer, test_set, &evaluation), "evaluating");
    printf("accuracy %.4f  macro F1 %.4f\n", graft_evaluation_value(evaluation, "accuracy"),
           graft_evaluation_value(evaluation, "macro_f1"));
    graft_evaluation_release(evaluation);

    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[4]), "saving the adapter");
    graft_dataset_release(training_set);
    graft_dataset_release(test_set);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
