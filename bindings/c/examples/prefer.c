/* Teaches a language model which of two answers is preferred, with a LoRA adapter in PEFT's layout.
 *
 *     prefer MODEL PREFERENCES.tsv ADAPTER [EPOCHS]
 *
 * A line of the file is: prompt TAB preferred answer TAB other answer. The model without the
 * adapter is the reference (direct preference optimisation). */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAXIMUM_LENGTH = 512, NO_LABEL = -100, LINE = 1 << 16 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

/* Adds a row of the prompt, an answer and the token that ends it; the last two have labels. The
 * place in the pair is 0 for the preferred answer and 1 for the other. */
static void append(graft_dataset *dataset, const graft_tokenizer *tokenizer, const char *prompt,
                   const char *answer, int32_t place, int32_t end_token) {
    static char text[2 * LINE];
    snprintf(text, sizeof text, "%s %s", prompt, answer);
    const int32_t prompt_length = (int32_t)strlen(prompt);
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
    check(graft_batch_set_integers(row, "group_places", &place, 1, 1), text);
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
    static char line[LINE];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *preferred = strchr(line, '\t');
        char *other = preferred ? strchr(preferred + 1, '\t') : NULL;
        if (!other)
            stop("expected prompt TAB preferred TAB other", line);
        *preferred++ = *other++ = '\0';
        append(dataset, tokenizer, line, preferred, 0, graft_model_end_token(model, 0));
        append(dataset, tokenizer, line, other, 1, graft_model_end_token(model, 0));
    }
    fclose(file);
    return dataset;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 4 && argument_count != 5)
        stop("usage", "prefer MODEL PREFERENCES.tsv ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    graft_evaluation *evaluation = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "making the adapter");
    check(graft_adapter_set_head(adapter, "language_model", NULL, 0, NULL), "choosing the task");
    graft_dataset *pairs = read_pairs(model, tokenizer, arguments[2]);

    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.loss = "dpo";
    options.loss_settings = "{\"beta\": 0.1}";
    options.rows_per_batch = 8; /* four pairs */
    options.epoch_count = argument_count == 5 ? atoi(arguments[4]) : 3;
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    check(graft_trainer_fit(trainer, pairs, NULL, NULL, NULL, NULL, NULL), "training");
    check(graft_trainer_evaluate(trainer, pairs, &evaluation), "evaluating");
    printf("loss %.4f  accuracy %.4f  margin %.4f\n", graft_evaluation_value(evaluation, "loss"),
           graft_evaluation_value(evaluation, "rewards_accuracies"),
           graft_evaluation_value(evaluation, "rewards_margins"));

    graft_evaluation_release(evaluation);
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[3]), "saving the adapter");
    graft_dataset_release(pairs);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
