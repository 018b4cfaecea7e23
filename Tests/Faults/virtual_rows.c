/* Rows before those of a batch: refused on other models, by halves, and without room. */
#include "malformed.h"

void test_virtual_rows(void) {
    graft_adapter *adapter = NULL;
    graft_composition *composition = NULL;
    expect(GRAFT_ERROR_UNSUPPORTED, "is not a language model",
           graft_adapter_load(tiny, join(goldens, "prompt-learning/prefix-llama/start"), &adapter),
           "a language model's prefix for an encoder");
    static const char *const methods[] = {"prefix_tuning", "prompt_tuning"};
    for (int i = 0; i < 2; i++) {
        need(graft_adapter_create(tiny, methods[i], "{\"num_virtual_tokens\": 60}", 1, &adapter),
             "making an adapter");
        expect(GRAFT_ERROR_INCOMPATIBLE, "in full or not at all",
               graft_composition_create(adapter, 0.5f, &composition), "half of a prompt");
        need(graft_composition_create(adapter, 1, &composition), "composing it");
        graft_model *merged = NULL;
        expect(GRAFT_ERROR_UNSUPPORTED, "puts rows before those of a batch",
               graft_model_load_merged(tiny, composition, NULL, &merged), "merging what no weights do");
        graft_session *session = NULL;
        graft_batch *batch = NULL;
        int32_t tokens[] = {2, 3, 4, 5, 6}, length = 5;
        float numbers[32];
        need(graft_session_create(tiny, NULL, &session), "making a session");
        need(graft_session_set_adapters(session, composition), "attaching it");
        need(graft_batch_create(tokens, NULL, &length, 1, &batch), "making a batch");
        expect(GRAFT_ERROR_INCOMPATIBLE, "of which its adapter takes 60",
               graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, numbers, 32),
               "a row that has no positions left");
        graft_batch_release(batch);
        graft_session_release(session);
        graft_composition_release(composition);
        graft_adapter_release(adapter);
    }
}
