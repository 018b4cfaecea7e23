/* Continues prompts beside each other as a service does: they come while others are under way, each
 * with an adapter of its own, and are left when there is enough of them.
 *
 *     serve MODEL ADAPTER ... <PROMPTS
 *
 * Each line is a prompt, and has the next adapter, a folder or "-" for none, in turn. Another joins
 * every third step. What comes is printed as it comes, behind the number of its prompt. A text is
 * left after its first sentence, and has 48 tokens at most.
 */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 4096, STEPS_BETWEEN = 3 };

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, graft_last_error_message());
    exit(EXIT_FAILURE);
}

/* Rows of a step whose first sentence is complete: there are never more than are under way. */
typedef struct sentences {
    int64_t *rows;
    int64_t count;
} sentences;

static int32_t print_token(void *user_data, const graft_token *token) {
    sentences *own = user_data;
    if (token->size > 0)
        printf("%lld\t%s\n", (long long)token->row, token->text);
    /* Within a step the generator is taken: what is to be removed is noted. */
    if (token->end == GRAFT_TOKEN_END_NONE && strchr(token->text, '.'))
        own->rows[own->count++] = token->row;
    return fflush(stdout) == EOF;
}

/* Encodes a prompt under an adapter, and has it join. */
static void add(graft_generator *generator, const graft_tokenizer *tokenizer, const char *prompt,
                const graft_composition *adapter) {
    graft_encode_options whole; /* a prompt that is too long is an error, rather than cut */
    graft_encode_options_init(&whole, sizeof whole);
    whole.maximum_length = GRAFT_UNLIMITED_LENGTH;
    graft_generate_options options;
    graft_generate_options_init(&options, sizeof options);
    options.maximum_tokens = 48;
    graft_batch *batch = NULL;
    check(graft_batch_encode(tokenizer, &prompt, NULL, 1, &whole, &batch), "encoding a prompt");
    check(graft_batch_set_adapters(batch, &adapter, 1), "giving it an adapter");
    check(graft_generator_add(generator, batch, &options, NULL), "adding a prompt");
    graft_batch_release(batch);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 3) {
        fprintf(stderr, "usage: %s MODEL ADAPTER ... <PROMPTS\n", arguments[0]);
        return EXIT_FAILURE;
    }
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_generator *generator = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_generator_create(model, tokenizer, NULL, &generator), "making a generator");
    int adapter_count = argument_count - 2;
    graft_composition **adapters = calloc((size_t)adapter_count, sizeof *adapters);
    if (!adapters)
        return EXIT_FAILURE;
    for (int i = 0; i < adapter_count; i++) {
        if (strcmp(arguments[2 + i], "-") == 0)
            continue;
        graft_adapter *adapter = NULL;
        check(graft_adapter_load(model, arguments[2 + i], &adapter), "loading an adapter");
        check(graft_composition_create(adapter, 1, &adapters[i]), "composing an adapter");
        graft_adapter_release(adapter); /* the composition has it */
    }

    char line[LINE_SIZE];
    sentences done = {0};
    int has_more = 1;
    for (int64_t step = 0, count = 0; has_more || graft_generator_row_count(generator) > 0; step++) {
        if (has_more && step % STEPS_BETWEEN == 0) {
            has_more = fgets(line, sizeof line, stdin) != NULL;
            line[has_more ? strcspn(line, "\n") : 0] = '\0';
            if (has_more && line[0] != '\0') {
                add(generator, tokenizer, line, adapters[count++ % adapter_count]);
                int64_t *rows = realloc(done.rows, (size_t)count * sizeof *rows);
                if (!rows)
                    return EXIT_FAILURE;
                done.rows = rows;
            }
        }
        done.count = 0;
        check(graft_generator_step(generator, print_token, &done), "a step");
        for (int64_t i = 0; i < done.count; i++)
            check(graft_generator_remove(generator, done.rows[i]), "leaving a text");
    }

    free(done.rows);
    for (int i = 0; i < adapter_count; i++)
        graft_composition_release(adapters[i]);
    free(adapters);
    graft_generator_release(generator);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
