/* Adapts a model that knows a language to a domain, on texts that nobody labelled: words are masked
 * and told. Prints the pseudo-perplexity of texts that were held out, before and after.
 *
 *     adapt MODEL TEXTS HELD_OUT ADAPTER [EPOCHS]
 *
 * MODEL is one of a class as BertForMaskedLM. A line of the files is a text. ADAPTER is the folder
 * to save to.
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

/* Encodes a file of texts, one a line, with the words of their tokens; with `mask_each`, every
 * token of a word is masked in turn, in a row of its own. */
static graft_dataset *read_texts(const graft_tokenizer *tokenizer, const char *path, int mask_each) {
    FILE *file = fopen(path, "rb");
    if (!file)
        stop("cannot read", path);
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = 64;
    options.keep_words = 1;
    graft_dataset *dataset = NULL;
    check(graft_dataset_create(&dataset), path);
    char line[1 << 16];
    const char *text = line;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        graft_batch *row = NULL;
        check(graft_batch_encode(tokenizer, &text, NULL, 1, &options, &row), line);
        if (mask_each) {
            graft_batch *masked = NULL;
            check(graft_batch_mask_each(row, graft_tokenizer_mask_token(tokenizer), &masked), line);
            graft_batch_release(row);
            row = masked;
        }
        check(graft_dataset_append(dataset, row), line);
        graft_batch_release(row);
    }
    fclose(file);
    return dataset;
}

static double perplexity(graft_trainer *trainer, const graft_dataset *texts) {
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_evaluate(trainer, texts, &evaluation), "evaluating");
    double value = graft_evaluation_value(evaluation, "perplexity");
    graft_evaluation_release(evaluation);
    return value;
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: %s MODEL TEXTS HELD_OUT ADAPTER [EPOCHS]\n", argv[0]);
        return 2;
    }
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    check(graft_model_load(argv[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(argv[1], &tokenizer), "loading the tokenizer");
    graft_dataset *train = read_texts(tokenizer, argv[2], 0), *test = read_texts(tokenizer, argv[3], 1);
    check(graft_adapter_create(model, "lora", "{\"r\": 16, \"target_modules\": \"all-linear\"}", 0, &adapter),
          "creating the adapter");
    check(graft_adapter_set_head(adapter, "masked_language_model", NULL, 0, NULL), "setting the task");

    char masking[64];
    snprintf(masking, sizeof masking, "{\"mask_token\": %d, \"whole_word_mask\": true}",
             (int)graft_tokenizer_mask_token(tokenizer));
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.masking = masking;
    options.epoch_count = argc == 6 ? (int32_t)strtol(argv[5], NULL, 10) : 3;
    graft_trainer *trainer = NULL;
    check(graft_trainer_create(model, adapter, &options, &trainer), "creating the trainer");
    printf("before  %.2f\n", perplexity(trainer, test));
    check(graft_trainer_fit(trainer, train, NULL, NULL, NULL, NULL, NULL), "training");
    printf("after   %.2f\n", perplexity(trainer, test));
    check(graft_adapter_save(adapter, argv[4]), "saving");

    graft_trainer_release(trainer);
    graft_dataset_release(train);
    graft_dataset_release(test);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return 0;
}
