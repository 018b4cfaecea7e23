/* Asks two adapters about the sentences on the command line, in one process with one base model.
 *
 *     swap MODEL ADAPTER ADAPTER SENTENCE ...
 *
 * First each row of one batch has an adapter of its own; then the session's adapter is exchanged
 * between two calls. Both give the same numbers, bit for bit. */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADAPTERS = 2 };

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, graft_last_error_message());
    exit(EXIT_FAILURE);
}

static const char *likeliest(const graft_adapter *adapter, const float *logits) {
    int32_t best = 0;
    for (int32_t i = 1; i < graft_adapter_label_count(adapter); i++)
        best = logits[i] > logits[best] ? i : best;
    return graft_adapter_label(adapter, best);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 5) {
        fprintf(stderr, "usage: %s MODEL ADAPTER ADAPTER SENTENCE ...\n", arguments[0]);
        return EXIT_FAILURE;
    }
    const char *const *sentences = (const char *const *)arguments + 4;
    int64_t count = argument_count - 4;

    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_session *session = NULL;
    graft_adapter *adapters[ADAPTERS] = {NULL};
    graft_composition *compositions[ADAPTERS] = {NULL};
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_session_create(model, NULL, &session), "making the session");
    int64_t columns = 0;
    for (int i = 0; i < ADAPTERS; i++) {
        check(graft_adapter_load(model, arguments[2 + i], &adapters[i]), arguments[2 + i]);
        check(graft_composition_create(adapters[i], 1, &compositions[i]), arguments[2 + i]);
        int64_t labels = graft_adapter_label_count(adapters[i]);
        columns = labels > columns ? labels : columns;
    }

    /* Every sentence once for each adapter, all in one batch: row r has adapter r % ADAPTERS. */
    int64_t row_count = count * ADAPTERS;
    const char **texts = calloc((size_t)row_count, sizeof *texts);
    const graft_composition **rows = calloc((size_t)row_count, sizeof *rows);
    float *mixed = calloc((size_t)(row_count * columns), sizeof *mixed);
    float *swapped = calloc((size_t)(count * columns), sizeof *swapped);
    if (!texts || !rows || !mixed || !swapped)
        return EXIT_FAILURE;
    for (int64_t row = 0; row < row_count; row++) {
        texts[row] = sentences[row / ADAPTERS];
        rows[row] = compositions[row % ADAPTERS];
    }
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = graft_model_maximum_length(model);
    graft_batch *batch = NULL;
    check(graft_batch_encode(tokenizer, texts, NULL, row_count, &options, &batch), "encoding");
    check(graft_batch_set_adapters(batch, rows, row_count), "giving each row its adapter");
    check(graft_session_classify(session, batch, mixed, row_count * columns, NULL), "classifying");
    graft_batch_release(batch);
    for (int64_t i = 0; i < count; i++) {
        printf("%s\n   ", sentences[i]);
        for (int j = 0; j < ADAPTERS; j++)
            printf(" %-10s", likeliest(adapters[j], mixed + (i * ADAPTERS + j) * columns));
        printf("\n");
    }

    /* The same one adapter after the other: exchanging it costs nothing, for the model is never
     * changed. */
    check(graft_batch_encode(tokenizer, sentences, NULL, count, &options, &batch), "encoding");
    for (int j = 0; j < ADAPTERS; j++) {
        size_t labels = (size_t)graft_adapter_label_count(adapters[j]);
        check(graft_session_set_adapters(session, compositions[j]), "exchanging the adapter");
        check(graft_session_classify(session, batch, swapped, count * columns, NULL), "classifying");
        for (int64_t i = 0; i < count; i++) {
            const float *one = swapped + i * (int64_t)labels, *other = mixed + (i * ADAPTERS + j) * columns;
            if (memcmp(one, other, labels * sizeof *one) != 0) {
                fprintf(stderr, "%s: other numbers in a mixed batch\n", sentences[i]);
                return EXIT_FAILURE;
            }
        }
    }
    printf("Exchanged between calls, the adapters give the same bits.\n");

    free(texts);
    free(rows);
    free(mixed);
    free(swapped);
    graft_batch_release(batch);
    graft_session_release(session);
    for (int i = 0; i < ADAPTERS; i++) {
        graft_composition_release(compositions[i]);
        graft_adapter_release(adapters[i]);
    }
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
