/* Writes what sentences become: translations, with a model such as Marian. All go through in one
 * batch.
 *
 *     translate MODEL SENTENCE ...
 */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(EXIT_FAILURE);
}

/* Text that grows. */
struct text {
    char *bytes;
    size_t size;
};

/* Adds what a token adds; memory that runs out ends the row. */
static int32_t add_text(void *user_data, const graft_token *token) {
    struct text *own = (struct text *)user_data + token->row;
    size_t size = (size_t)token->size;
    char *bytes = realloc(own->bytes, own->size + size + 1);
    if (bytes == NULL)
        return 1;
    memcpy(bytes + own->size, token->text, size + 1);
    own->bytes = bytes;
    own->size += size;
    return 0;
}

int main(int argument_count, char **arguments) {
    if (argument_count < 3) {
        fprintf(stderr, "usage: %s MODEL SENTENCE ...\n", arguments[0]);
        return EXIT_FAILURE;
    }
    const int64_t count = argument_count - 2;
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_batch_encode(tokenizer, (const char *const *)arguments + 2, NULL, count, NULL, &batch),
          "encoding the sentences");

    struct text *translations = calloc((size_t)count, sizeof *translations);
    if (translations == NULL)
        return EXIT_FAILURE;
    check(graft_session_generate(session, tokenizer, batch, NULL, add_text, translations), "translating");
    for (int64_t row = 0; row < count; row++) {
        printf("%s\n", translations[row].bytes == NULL ? "" : translations[row].bytes);
        free(translations[row].bytes);
    }

    free(translations);
    graft_batch_release(batch);
    graft_session_release(session);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
