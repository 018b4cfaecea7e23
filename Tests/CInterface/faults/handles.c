#include "faults.h"

/* Two owners of one handle: it lives until both have released it. */
#define TWO_OWNERS(kind, handle, is_live)                                                                    \
    do {                                                                                                     \
        graft_##kind *one = (handle);                                                                        \
        expect(GRAFT_OK, graft_##kind##_retain(one), #kind " takes a second owner");                         \
        graft_##kind##_release(one);                                                                         \
        claim(is_live, #kind " lives after one of two releases", "its end");                                 \
        graft_##kind##_release(one);                                                                         \
        claim(!(is_live), #kind " is gone after the second", "a live one");                                  \
        invalid(graft_##kind##_retain(one), #kind " that is gone takes no owner");                           \
        graft_##kind##_release(one);                                                                         \
        invalid(graft_##kind##_retain(NULL), #kind " at NULL takes no owner");                               \
        invalid(graft_##kind##_retain((const graft_##kind *)other_kind), "another kind is no " #kind);       \
    } while (0)

static void test_retain(const char *folder) {
    const void *other_kind = model;
    graft_adapter *fresh = make_adapter(1);
    graft_model *own = NULL;
    graft_tokenizer *words = NULL;
    graft_encoding *encoding = NULL;
    graft_composition *leaf = NULL;
    graft_dataset *rows = NULL;
    graft_trainer *trainer = NULL;
    graft_session *stream = NULL;
    graft_generator *texts = NULL;
    graft_cancel_token *token = NULL;
    need(graft_model_load(folder, NULL, &own), "loading");
    need(graft_tokenizer_load(folder, &words), "loading");
    need(graft_tokenizer_encode(tokenizer, "a", NULL, NULL, &encoding), "encoding");
    need(graft_composition_create(fresh, 1, &leaf), "composing");
    need(graft_dataset_create(&rows), "making a data set");
    need(graft_session_create(model, NULL, &stream), "making a session");
    need(graft_generator_create(model, NULL, NULL, &texts), "making a generator");
    need(graft_cancel_token_create(&token), "making a token");

    TWO_OWNERS(tokenizer, words, graft_tokenizer_vocabulary_size(one) > 0);
    TWO_OWNERS(encoding, encoding, graft_encoding_token_count(one) == 3);
    TWO_OWNERS(composition, leaf, graft_composition_label_count(one) == 2);
    TWO_OWNERS(batch, tokens_batch(7, 3, 0), graft_batch_row_count(one) == 1);
    TWO_OWNERS(dataset, rows, graft_dataset_row_count(one) == 0);
    TWO_OWNERS(session, stream, graft_session_memory(one) >= 0);
    TWO_OWNERS(generator, texts, graft_generator_memory(one) >= 0);
    need(graft_trainer_create(model, fresh, NULL, &trainer), "making a trainer");
    TWO_OWNERS(trainer, trainer, graft_trainer_memory(one) >= 0);
    TWO_OWNERS(adapter, fresh, graft_adapter_label_count(one) == 2);
    other_kind = adapter;
    TWO_OWNERS(model, own, graft_model_layer_count(one) > 0);
    other_kind = model;
    expect(GRAFT_OK, graft_cancel_token_retain(token), "a token takes a second owner");
    graft_cancel_token_release(token);
    expect(GRAFT_OK, graft_cancel_token_retain(token), "and a third after one release");
    graft_cancel_token_release(token);
    graft_cancel_token_release(token);
    invalid(graft_cancel_token_retain(token), "a token that is gone takes no owner");
    invalid(graft_cancel_token_retain(NULL), "a token at NULL takes no owner");
    invalid(graft_cancel_token_retain((const graft_cancel_token *)model), "a model is no token");
}

static void test_memory_of_nothing(void) {
    expect_number(-1, graft_model_memory(NULL), "NULL has -1 bytes");
    expect_number(-1, graft_model_mapped_memory((const graft_model *)session), "a session has no weights");
    expect_number(-1, graft_adapter_memory((const graft_adapter *)model), "a model is no adapter of bytes");
    expect_number(-1, graft_session_memory((const graft_session *)model), "a model is no session of bytes");
    expect_number(-1, graft_trainer_memory(NULL), "no trainer has -1 bytes");
}

void test_handles(const char *folder) {
    test_retain(folder);
    test_memory_of_nothing();
}
