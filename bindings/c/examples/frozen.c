/* Trains a linear layer with softmax on a frozen model with Adagrad, then the same beside an
 * adapter, and prints what both are right about.
 *
 *     frozen MODEL TRAIN.tsv TEST.tsv [EPOCHS]
 *
 * A line of the files is: text TAB label.
 */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    char *copy = malloc(strlen(name) + 1);
    if (label_count == LABEL_LIMIT || !copy)
        stop("more labels than this example takes", name);
    labels[label_count] = strcpy(copy, name);
    return label_count++;
}

/* Encodes a file of `text TAB label` lines. */
static graft_dataset *read_dataset(const graft_tokenizer *tokenizer, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        stop("cannot read", path);
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = MAXIMUM_LENGTH;
    graft_dataset *dataset = NULL;
    check(graft_dataset_create(&dataset), path);
    char line[1 << 16];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
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
    fclose(file);
    return dataset;
}

/* Trains an adapter of these settings and its head, and prints a line of what came of it. */
static void train(const graft_model *model, const char *name, const char *settings, float rate,
                  int32_t epochs, const graft_dataset *training_set, const graft_dataset *test_set) {
    graft_adapter *adapter = NULL;
    check(graft_adapter_create(model, "lora", settings, 0, &adapter), name);
    check(graft_adapter_set_head(adapter, "sequence_classification", labels, label_count,
                                 "{\"pooling\": \"mean\"}"),
          name);

    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.optimizer = "adagrad";
    options.learning_rate = rate;
    options.schedule = "constant";
    options.epoch_count = epochs;
    graft_trainer *trainer = NULL;
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_create(model, adapter, &options, &trainer), name);
    check(graft_trainer_fit(trainer, training_set, NULL, NULL, NULL, NULL, NULL), name);
    check(graft_trainer_evaluate(trainer, test_set, &evaluation), name);
    printf("%-22s %18lld   %.4f     %.4f\n", name, (long long)graft_adapter_parameter_count(adapter),
           graft_evaluation_value(evaluation, "accuracy"), graft_evaluation_value(evaluation, "macro_f1"));
    graft_evaluation_release(evaluation);
    graft_trainer_release(trainer);
    graft_adapter_release(adapter);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 4 && argument_count != 5)
        stop("usage", "frozen MODEL TRAIN.tsv TEST.tsv [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    graft_dataset *training_set = read_dataset(tokenizer, arguments[2]);
    graft_dataset *test_set = read_dataset(tokenizer, arguments[3]);
    int32_t epochs = argument_count == 5 ? atoi(arguments[4]) : 6;

    printf("Adagrad                trained parameters   accuracy   macro F1\n");
    /* With this name in place of modules, nothing but the head is trained. */
    train(model, "frozen, head alone", "{\"target_modules\": \"dummy-target-modules\"}", 0.02f, epochs,
          training_set, test_set);
    train(model, "frozen, with adapter", NULL, 0.005f, epochs, training_set, test_set);

    graft_dataset_release(training_set);
    graft_dataset_release(test_set);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
