#include "faults.h"

static int32_t no_token(void *user_data, const graft_token *token) {
    (void)user_data, (void)token;
    claim(0, "a refused call hands out no token", "a token");
    return 1;
}

void test_session(void) {
    graft_session *out = NULL;
    graft_session_options options;
    graft_session_options_init(&options, sizeof options);
    options.thread_count = -1;
    invalid(graft_session_create(model, &options, &out), "a session of -1 threads is refused");
    invalid(graft_set_executor(NULL), "an executor without a name is refused");
    expect(GRAFT_ERROR_UNSUPPORTED, graft_set_executor("gears"), "an unknown executor is refused");
    expect(GRAFT_ERROR_UNSUPPORTED, graft_set_executor(""), "an executor of an empty name is refused");
    graft_session_options_init(&options, sizeof options);
    options.reserved = 1;
    invalid(graft_session_create(model, &options, &out), "a reserved 1 is refused");
    graft_session_options_init(&options, sizeof options);
    options.pass_token_count = -1;
    invalid(graft_session_create(model, &options, &out), "passes of -1 tokens are refused");
    invalid(graft_session_create(NULL, NULL, &out), "a session of NULL is refused");
    invalid(graft_session_create(model, NULL, NULL), "a session into NULL is refused");
    invalid(graft_session_set_adapters(session, (const graft_composition *)adapter),
            "an adapter is no composition");
    invalid(graft_session_set_adapters(NULL, composition), "attaching to NULL is refused");

    float values[8];
    int64_t columns = 0;
    int64_t size = graft_model_hidden_size(model);
    int64_t capacity = graft_batch_token_count(batch) * size;
    float *vectors = calloc((size_t)(2 * size), sizeof *vectors);
    float *states = calloc((size_t)capacity, sizeof *states);
    if (!vectors || !states)
        exit(1);
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL,
           graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, values, 8),
           "8 numbers are too few for two vectors");
    invalid(graft_session_embed(session, batch, 9, 1, vectors, 2 * size), "pooling 9 is refused");
    invalid(graft_session_embed(session, batch, -2, 1, vectors, 2 * size), "pooling -2 is refused");
    invalid(graft_session_embed(session, batch, 0, 2, vectors, 2 * size), "normalize 2 is refused");
    invalid(graft_session_embed(session, batch, 0, -2, vectors, 2 * size), "normalize -2 is refused");
    expect(GRAFT_OK, graft_session_embed(session, batch, GRAFT_POOLING_DEFAULT, -1, vectors, 2 * size),
           "two vectors as the folder declares them fit");
    expect_number(size, graft_model_embedding_size(model), "MiniLM's embeddings are as wide as its states");
    invalid(graft_session_embed(session, batch, 0, 1, NULL, 2 * size), "vectors into NULL are refused");
    invalid(graft_session_embed(session, batch, 0, 1, vectors, -1), "a capacity of -1 is refused");
    invalid(graft_session_embed(session, NULL, 0, 1, vectors, 2 * size), "embedding NULL is refused");
    invalid(graft_session_embed(NULL, batch, 0, 1, vectors, 2 * size), "embedding with NULL is refused");
    invalid(graft_session_hidden_states(session, batch, -2, states, capacity), "layer -2 is refused");
    invalid(graft_session_hidden_states(session, batch, 99, states, capacity), "layer 99 is refused");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_session_hidden_states(session, batch, 1, values, 8),
           "8 numbers are too few for hidden states");
    expect_refused(graft_session_classify(session, batch, values, 8, &columns),
                   "classifying without adapter is refused");
    need(graft_session_set_adapters(session, composition), "attaching");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_session_classify(session, batch, values, 3, &columns),
           "3 numbers are too few for two rows of two labels");
    expect_number(2, columns, "the number of columns is written all the same");
    expect(GRAFT_OK, graft_session_classify(session, batch, values, 8, NULL),
           "two rows of two labels fit in 8");
    graft_generate_options generation;
    graft_generate_options_init(&generation, sizeof generation);
    generation.stop_token_count = -1;
    invalid(graft_session_generate(session, NULL, batch, &generation, no_token, NULL),
            "-1 stop tokens are refused");
    generation.stop_token_count = 2;
    invalid(graft_session_generate(session, NULL, batch, &generation, no_token, NULL),
            "two stop tokens at NULL are refused");
    const char *stops[] = {".", "\xff"};
    graft_generate_options_init(&generation, sizeof generation);
    generation.stop_string_count = 1;
    invalid(graft_session_generate(session, tokenizer, batch, &generation, no_token, NULL),
            "a stop string at NULL is refused");
    generation.stop_strings = stops;
    generation.stop_string_count = 2;
    invalid(graft_session_generate(session, tokenizer, batch, &generation, no_token, NULL),
            "a stop string that is not UTF-8 is refused");
    graft_generate_options_init(&generation, sizeof generation);
    const char *constraints[] = {NULL, "\xff"};
    generation.constraints = constraints;
    invalid(graft_session_generate(session, tokenizer, batch, &generation, no_token, NULL),
            "a constraint that is not UTF-8 is refused");
    graft_generate_options_init(&generation, sizeof generation);
    generation.bias_count = 1;
    invalid(graft_session_generate(session, tokenizer, batch, &generation, no_token, NULL),
            "a bias of no token is refused");
    invalid(graft_session_generate(session, NULL, batch, NULL, NULL, NULL), "a callback of NULL is refused");
    invalid(graft_session_generate(session, NULL, NULL, NULL, no_token, NULL),
            "generating from NULL is refused");
    invalid(graft_session_generate(NULL, NULL, batch, NULL, no_token, NULL),
            "generating with NULL is refused");
    expect(GRAFT_ERROR_UNSUPPORTED, graft_session_generate(session, tokenizer, batch, NULL, no_token, NULL),
           "an encoder generates no text");
    generation.bias_count = 0;
    graft_generator *generator = NULL;
    invalid(graft_generator_create(NULL, NULL, NULL, &generator), "a generator of no model is refused");
    invalid(graft_generator_create(model, NULL, NULL, NULL), "a generator to NULL is refused");
    need(graft_generator_create(model, tokenizer, NULL, &generator), "making a generator");
    expect(GRAFT_ERROR_UNSUPPORTED, graft_generator_add(generator, batch, NULL, NULL),
           "an encoder adds no text");
    invalid(graft_generator_add(generator, NULL, NULL, NULL), "adding NULL is refused");
    invalid(graft_generator_step(generator, NULL, NULL), "a step without a callback is refused");
    expect(GRAFT_OK, graft_generator_step(generator, no_token, NULL), "a step of no text is one");
    expect(GRAFT_ERROR_NOT_FOUND, graft_generator_remove(generator, 0),
           "a row that never was is not removed");
    expect_number(0, graft_generator_row_count(generator), "no rows are under way");
    expect_number(-1, graft_generator_row_count(NULL), "NULL has -1 rows under way");
    expect_number(-1, graft_generator_memory(NULL), "a generator at NULL has -1 bytes");
    graft_generator_release(generator);
    graft_batch *outside = tokens_batch(1 << 30, 4, 0), *too_long = tokens_batch(101, 600, 0);
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_session_embed(session, outside, 0, 1, vectors, size),
           "token 2^30 is refused by a session");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_session_embed(session, too_long, 0, 1, vectors, size),
           "a row of 600 tokens is refused by a session");
    graft_batch_release(outside);
    graft_batch_release(too_long);
    free(vectors);
    free(states);
}
