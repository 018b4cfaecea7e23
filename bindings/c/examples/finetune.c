/* Teaches a language model to answer, with a LoRA adapter in PEFT's layout.
 *
 *     finetune MODEL PAIRS.tsv ADAPTER [EPOCHS]
 *
 * A line of the file is: prompt TAB answer. The model reads both and learns the answer alone;
 * afterwards `generate MODEL PROMPT 0 0 ADAPTER` gives it. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAXIMUM_LENGTH = 512, NO_LABEL = -100 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

/* Adds `text` and the token that ends it. Only tokens that reach beyond the prompt's bytes get
 * labels: the others count for nothing in the loss. */
static void append(graft_dataset *dataset, const graft_tokenizer *tokenizer, const char *text,
                   int32_t prompt_length, int32_t end_token) {
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = MAXIMUM_LENGTH - 1;
    graft_encoding *encoding = NULL;
    check(graft_tokenizer_encode(tokenizer, text, NULL, &options, &encoding), text);
    int32_t count = (int32_t)graft_encoding_token_count(encoding);
    const int32_t *ids = graft_encoding_ids(encoding), *offsets = graft_encoding_byte_offsets(encoding);
    int32_t tokens[MAXIMUM_LENGTH], labels[MAXIMUM_LENGTH];
    for (int32_t i = 0; i < count; i++) {
        tokens[i] = ids[i];
        labels[i] = offsets[2 * i + 1] > prompt_length ? ids[i] : NO_LABEL;
    }
    if (end_token >= 0) {
        tokens[count] = labels[count] = end_token;
        count++;
    }
    graft_batch *row = NULL;
    check(graft_batch_create(tokens, NULL, &count, 1, &row), text);
    check(graft_batch_set_integers(row, "token_labels", labels, count, 1), text);
    check(graft_dataset_append(dataset, row), text);
    graft_batch_release(row);
    graft_encoding_release(encoding);
}

static graft_dataset *read_pairs(const graft_model *model, const graft_tokenizer *tokenizer,
                                 const char *path) {
    FILE *file = fopen(path, "r");
    if (!file)
        stop("cannot read", path);
    graft_dataset *dataset = NULL;
    check(graft_dataset_create(&dataset), path);
    static char line[1 << 16];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (!tab)
            stop("expected prompt TAB answer", line);
        *tab = ' ';
        append(dataset, tokenizer, line, (int32_t)(tab - line), graft_model_end_token(model, 0));
    }
    fclose(file);
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
    if (argument_count != 4 && argument_count != 5)
        stop("usage", "finetune MODEL PAIRS.tsv ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "making the adapter");
    check(graft_adapter_set_head(adapter, "language_model", NULL, 0, NULL), "choosing the task");
    graft_dataset *pairs = read_pairs(model, tokenizer, arguments[2]);

    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.learning_rate = 2e-3f;
    options.rows_per_batch = 8;
    options.epoch_count = argument_count == 5 ? atoi(arguments[4]) : 3;
    int is_terminal = isatty(STDERR_FILENO);
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    check(graft_trainer_fit(trainer, pairs, NULL, print_progress, &is_terminal, NULL, NULL), "training");
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_evaluate(trainer, pairs, &evaluation), "evaluating");
    printf("loss %.4f  accuracy %.4f of the answers' tokens\n", graft_evaluation_value(evaluation, "loss"),
           graft_evaluation_value(evaluation, "accuracy"));
    graft_evaluation_release(evaluation);

    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[3]), "saving the adapter");
    graft_dataset_release(pairs);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
