/* Continues a text, printing it as it comes, and then how sure the model was of it.
 *
 *     generate MODEL PROMPT [TEMPERATURE [SEED [ADAPTER [STOP]]]]
 *
 * ADAPTER is a folder, or "" for none; the text ends before the first STOP, if one comes.
 */
#include <graft.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(EXIT_FAILURE);
}

/* What is known of the text so far. */
typedef struct story {
    int token_count;
    double log_probability;
} story;

/* Prints what a token adds; the row ends where standard output is closed. */
static int32_t print_text(void *user_data, const graft_token *token) {
    story *own = user_data;
    own->token_count++;
    own->log_probability += (double)token->log_probability;
    return fwrite(token->text, 1, (size_t)token->size, stdout) != (size_t)token->size ||
           fflush(stdout) == EOF;
}

int main(int argument_count, char **arguments) {
    if (argument_count < 3 || argument_count > 7) {
        fprintf(stderr, "usage: %s MODEL PROMPT [TEMPERATURE [SEED [ADAPTER [STOP]]]]\n", arguments[0]);
        return EXIT_FAILURE;
    }
    const char *prompt = arguments[2];
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    graft_adapter *adapter = NULL;
    graft_composition *composition = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_session_create(model, NULL, &session), "making a session");
    if (argument_count > 5 && arguments[5][0] != '\0') {
        check(graft_adapter_load(model, arguments[5], &adapter), "loading the adapter");
        check(graft_composition_create(adapter, 1, &composition), "composing the adapter");
        check(graft_session_set_adapters(session, composition), "attaching the adapter");
    }
    graft_encode_options whole; /* a prompt that is too long is an error, rather than cut */
    graft_encode_options_init(&whole, sizeof whole);
    whole.maximum_length = GRAFT_UNLIMITED_LENGTH;
    check(graft_batch_encode(tokenizer, &prompt, NULL, 1, &whole, &batch), "encoding the prompt");

    graft_generate_options options;
    graft_generate_options_init(&options, sizeof options);
    if (argument_count > 3)
        options.temperature = strtof(arguments[3], NULL);
    if (argument_count > 4)
        options.seed = strtoull(arguments[4], NULL, 10);
    if (argument_count > 6) {
        options.stop_strings = (const char *const *)&arguments[6];
        options.stop_string_count = 1;
    }
    /* With a temperature, nothing comes that is fifty times less likely than the likeliest. */
    options.min_p = 0.02f;
    /* Log-probabilities of the tokens that come, and of no others. */
    options.likely_count = 0;
    story own = {0};
    fputs(prompt, stdout);
    check(graft_session_generate(session, tokenizer, batch, &options, print_text, &own), "generating");
    putchar('\n');
    fflush(stdout);
    fprintf(stderr, "%d tokens, perplexity %.2f\n", own.token_count,
            exp(-own.log_probability / own.token_count));

    graft_composition_release(composition);
    graft_adapter_release(adapter);
    graft_batch_release(batch);
    graft_session_release(session);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
