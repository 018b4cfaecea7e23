/* Writes summaries of texts, all in one batch, and says how much they have of those that people
 * wrote.
 *
 *     summarize MODEL ADAPTER <TEXTS.tsv
 *
 * A line is: text TAB summary. ADAPTER is a folder, such as finetune makes from lines like these,
 * or "" for none. Characters are what is compared: words would be none in a language without
 * blanks.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 1 << 16, MOST_TEXTS = 1 << 10 };

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(EXIT_FAILURE);
}

/* Adds what a token adds; memory that runs out ends the row. */
static int32_t add_text(void *user_data, const graft_token *token) {
    char **own = (char **)user_data + token->row;
    size_t size = *own ? strlen(*own) : 0;
    char *bytes = realloc(*own, size + strlen(token->text) + 1);
    if (!bytes)
        return 1;
    strcpy(bytes + size, token->text);
    *own = bytes;
    return 0;
}

/* Reads pairs, and returns how many. */
static int64_t read_pairs(char **texts, char **summaries) {
    static char line[LINE_SIZE];
    int64_t count = 0;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (count == MOST_TEXTS) {
            fprintf(stderr, "expected at most %d lines\n", MOST_TEXTS);
            exit(EXIT_FAILURE);
        }
        if (!tab) {
            fprintf(stderr, "expected text TAB summary: %s\n", line);
            exit(EXIT_FAILURE);
        }
        *tab = '\0';
        texts[count] = strdup(line);
        summaries[count] = strdup(tab + 1);
        if (!texts[count] || !summaries[count])
            exit(EXIT_FAILURE);
        count++;
    }
    return count;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 3) {
        fprintf(stderr, "usage: %s MODEL ADAPTER <TEXTS.tsv\n", arguments[0]);
        return EXIT_FAILURE;
    }
    static char *texts[MOST_TEXTS], *summaries[MOST_TEXTS], *written[MOST_TEXTS];
    const int64_t count = read_pairs(texts, summaries);
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    graft_adapter *adapter = NULL;
    graft_composition *composition = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_session_create(model, NULL, &session), "making a session");
    if (arguments[2][0] != '\0') {
        check(graft_adapter_load(model, arguments[2], &adapter), "loading the adapter");
        check(graft_composition_create(adapter, 1, &composition), "composing the adapter");
        check(graft_session_set_adapters(session, composition), "attaching the adapter");
    }
    graft_encode_options whole; /* a text that is too long is an error, rather than cut */
    graft_encode_options_init(&whole, sizeof whole);
    whole.maximum_length = GRAFT_UNLIMITED_LENGTH;
    check(graft_batch_encode(tokenizer, (const char *const *)texts, NULL, count, &whole, &batch),
          "encoding the texts");
    graft_generate_options options;
    graft_generate_options_init(&options, sizeof options);
    options.maximum_tokens = 64;
    check(graft_session_generate(session, tokenizer, batch, &options, add_text, written), "summarizing");

    static int64_t starts[MOST_TEXTS + 1];
    for (int64_t row = 0; row < count; row++) {
        starts[row + 1] = row + 1;
        if (!written[row] && !(written[row] = strdup("")))
            return EXIT_FAILURE;
        printf("%s\n", written[row]);
    }
    graft_evaluation *evaluation = NULL;
    check(graft_evaluate_texts((const char *const *)written, (const char *const *)summaries, starts, count,
                               "{\"tokenize\": \"char\"}", &evaluation),
          "comparing");
    printf("ROUGE-1 %.3f  ROUGE-2 %.3f  ROUGE-L %.3f\n", graft_evaluation_value(evaluation, "rouge1"),
           graft_evaluation_value(evaluation, "rouge2"), graft_evaluation_value(evaluation, "rougeL"));

    for (int64_t row = 0; row < count; row++) {
        free(texts[row]);
        free(summaries[row]);
        free(written[row]);
    }
    graft_evaluation_release(evaluation);
    graft_composition_release(composition);
    graft_adapter_release(adapter);
    graft_batch_release(batch);
    graft_session_release(session);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
