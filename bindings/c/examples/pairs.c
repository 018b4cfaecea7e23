/* Trains what vectors of sentences say of their likeness, on pairs that people have judged, and
 * prints how well the order of the cosines agrees with theirs, before and after.
 *
 *     pairs MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS]
 *
 * A line of the files is: text TAB text TAB likeness, any number. ADAPTER is the folder to save to.
 */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

/* Encodes a file of `text TAB text TAB likeness` lines: each is a group of two rows. */
static graft_dataset *read_pairs(const graft_tokenizer *tokenizer, const char *path) {
    static const int32_t places[2] = {0, 1};
    FILE *file = fopen(path, "rb");
    if (!file)
        stop("cannot read", path);
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = 128;
    graft_dataset *dataset = NULL;
    check(graft_dataset_create(&dataset), path);
    char line[1 << 16];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *first = strchr(line, '\t'), *last = strrchr(line, '\t');
        if (!first || first == last)
            stop("expected text TAB text TAB likeness", line);
        *first = *last = '\0';
        const char *texts[2] = {line, first + 1};
        float likeness = strtof(last + 1, NULL), both[2] = {likeness, likeness};
        graft_batch *pair = NULL;
        check(graft_batch_encode(tokenizer, texts, NULL, 2, &options, &pair), line);
        check(graft_batch_set_integers(pair, "group_places", places, 2, 1), line);
        check(graft_batch_set_floats(pair, "targets", both, 2, 1), line);
        check(graft_dataset_append(dataset, pair), line);
        graft_batch_release(pair);
    }
    fclose(file);
    return dataset;
}

static double spearman(graft_trainer *trainer, const graft_dataset *pairs) {
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_evaluate(trainer, pairs, &evaluation), "evaluating");
    double value = graft_evaluation_value(evaluation, "spearman");
    graft_evaluation_release(evaluation);
    return value;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 5 && argument_count != 6)
        stop("usage", "pairs MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    graft_dataset *train = read_pairs(tokenizer, arguments[2]), *test = read_pairs(tokenizer, arguments[3]);

    graft_adapter *adapter = NULL;
    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "creating the adapter");
    check(graft_adapter_set_head(adapter, "sentence_embedding", NULL, 0, NULL), "its task");
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.loss = "cosent";
    options.rows_per_batch = 64; /* 32 pairs */
    options.epoch_count = argument_count == 6 ? atoi(arguments[5]) : 2;
    graft_trainer *trainer = NULL;
    check(graft_trainer_create(model, adapter, &options, &trainer), "creating the trainer");

    printf("before  %.4f\n", spearman(trainer, test));
    check(graft_trainer_fit(trainer, train, NULL, NULL, NULL, NULL, NULL), "training");
    printf("after   %.4f\n", spearman(trainer, test));
    check(graft_adapter_save(adapter, arguments[4]), arguments[4]);

    graft_trainer_release(trainer);
    graft_adapter_release(adapter);
    graft_dataset_release(train);
    graft_dataset_release(test);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
