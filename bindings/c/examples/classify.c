/* Classifies the sentences on the command line with a trained adapter.
 *
 *     classify MODEL ADAPTER SENTENCE ...
 *
 * Errors lead to one place that releases everything: the shape for code that must not end its
 * process. */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        if ((status = (call)) != GRAFT_OK)                                                                   \
            goto done;                                                                                       \
    } while (0)

int main(int argument_count, char **arguments) {
    if (argument_count < 4) {
        fprintf(stderr, "usage: %s MODEL ADAPTER SENTENCE ...\n", arguments[0]);
        return EXIT_FAILURE;
    }
    char **sentences = arguments + 3;
    int64_t row_count = argument_count - 3;

    graft_status status;
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_composition *composition = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    int32_t *labels = NULL;
    float *probabilities = NULL;

    TRY(graft_model_load(arguments[1], NULL, &model));
    TRY(graft_tokenizer_load(arguments[1], &tokenizer));
    TRY(graft_adapter_load(model, arguments[2], &adapter));
    TRY(graft_composition_create(adapter, 1, &composition));
    TRY(graft_session_create(model, NULL, &session));
    TRY(graft_session_set_adapters(session, composition));

    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = graft_adapter_maximum_length(adapter); /* as in training */
    TRY(graft_batch_encode(tokenizer, (const char *const *)sentences, NULL, row_count, &options, &batch));

    labels = calloc((size_t)row_count, sizeof *labels);
    probabilities = calloc((size_t)row_count, sizeof *probabilities);
    if (!labels || !probabilities) {
        fprintf(stderr, "not enough memory for %lld rows\n", (long long)row_count);
        goto done;
    }
    TRY(graft_session_predict(session, batch, 1, labels, probabilities, row_count));
    for (int64_t row = 0; row < row_count; row++)
        printf("%5.1f %%  %-16s  %s\n", 100 * probabilities[row], graft_adapter_label(adapter, labels[row]),
               sentences[row]);

done:
    if (status != GRAFT_OK)
        fprintf(stderr, "%s: %s\n", graft_status_name(status), graft_last_error_message());
    int exit_code = status == GRAFT_OK && labels && probabilities ? EXIT_SUCCESS : EXIT_FAILURE;
    free(labels);
    free(probabilities);
    graft_batch_release(batch);
    graft_session_release(session);
    graft_composition_release(composition);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return exit_code;
}
