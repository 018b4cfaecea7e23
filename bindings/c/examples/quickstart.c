#include <graft.h>
#include <stdio.h>

int main(void) {
    const char *text = "Could you water the plants?";
    int32_t label = 0;
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_composition *composition = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    int failed = graft_model_load("build/models/minilm", NULL, &model) ||
                 graft_tokenizer_load("build/models/minilm", &tokenizer) ||
                 graft_adapter_load(model, "build/demo/act", &adapter) ||
                 graft_composition_create(adapter, 1, &composition) ||
                 graft_session_create(model, NULL, &session) ||
                 graft_session_set_adapters(session, composition) ||
                 graft_batch_encode(tokenizer, &text, NULL, 1, NULL, &batch) ||
                 graft_session_predict(session, batch, 1, &label, NULL, 1);
    puts(failed ? graft_last_error_message() : graft_adapter_label(adapter, label));
    graft_batch_release(batch); /* in any order; NULL is fine */
    graft_session_release(session);
    graft_composition_release(composition);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return failed;
}
