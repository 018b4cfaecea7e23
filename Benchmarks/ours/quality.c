/* The quality recipe through the C interface alone.
 *
 *     quality MODEL TRAIN.tsv TEST.tsv LABEL_COUNT SEED EPOCHS
 *
 * A line of the files is: number of the label TAB text. Prints the seconds of training and the test
 * accuracy. */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAXIMUM_LENGTH = 128, LINE_LIMIT = 1 << 16 };

static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, graft_last_error_message());
    exit(EXIT_FAILURE);
}

static graft_dataset *read_dataset(const graft_tokenizer *tokenizer, const char *path) {
    static char line[LINE_LIMIT];
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = MAXIMUM_LENGTH;
    graft_dataset *dataset = NULL;
    check(graft_dataset_create(&dataset), path);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *text = NULL;
        const int32_t label = (int32_t)strtol(line, &text, 10);
        const char *const texts[] = {text + 1};
        graft_batch *row = NULL;
        check(graft_batch_encode(tokenizer, texts, NULL, 1, &options, &row), text);
        check(graft_batch_set_integers(row, "labels", &label, 1, 1), text);
        check(graft_dataset_append(dataset, row), text);
        graft_batch_release(row);
    }
    fclose(file);
    return dataset;
}

static graft_adapter *make_adapter(const graft_model *model, int32_t label_count, uint64_t seed) {
    static const char *const names[] = {"0", "1", "2", "3", "4", "5"};
    const char *settings = "{\"r\": 8, \"lora_alpha\": 16, \"lora_dropout\": 0.1,"
                           " \"target_modules\": [\"query\", \"value\"]}";
    graft_adapter *adapter = NULL;
    check(graft_adapter_create(model, "lora", settings, seed, &adapter), "making the adapter");
    check(graft_adapter_set_head(adapter, "sequence_classification", names, label_count, NULL),
          "adding the head");
    return adapter;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 7) {
        fprintf(stderr, "usage: quality MODEL TRAIN.tsv TEST.tsv LABEL_COUNT SEED EPOCHS\n");
        return EXIT_FAILURE;
    }
    const uint64_t seed = strtoull(arguments[5], NULL, 10);
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_trainer *trainer = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    graft_dataset *training_set = read_dataset(tokenizer, arguments[2]);
    graft_dataset *test_set = read_dataset(tokenizer, arguments[3]);
    graft_adapter *adapter = make_adapter(model, atoi(arguments[4]), seed);

    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.seed = seed;
    options.learning_rate = 1e-3f;
    options.optimizer_settings = "{\"weight_decay\": 0.01}";
    options.schedule_settings = "{\"warmup_ratio\": 0.06}";
    options.maximum_gradient_norm = 1;
    options.rows_per_batch = 32;
    options.epoch_count = atoi(arguments[6]);
    options.thread_count = getenv("GRAFT_BENCH_THREADS") ? atoi(getenv("GRAFT_BENCH_THREADS")) : 2;
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    graft_metrics metrics;
    graft_metrics_init(&metrics, sizeof metrics);
    const double start = now();
    check(graft_trainer_fit(trainer, training_set, NULL, NULL, NULL, &metrics, NULL), "training");
    const double seconds = now() - start;
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_evaluate(trainer, test_set, &evaluation), "evaluating");
    printf("%.1f %.5f\n", seconds, graft_evaluation_value(evaluation, "accuracy"));
    graft_evaluation_release(evaluation);

    graft_trainer_release(trainer);
    graft_adapter_release(adapter);
    graft_dataset_release(training_set);
    graft_dataset_release(test_set);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
