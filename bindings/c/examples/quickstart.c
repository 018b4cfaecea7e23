#include <graft.h>
#include <stdio.h>

int main(void) {
    const char *text = "Could you water the plants?";
    float logits[4]; /* one for each label of the adapter that `make demo` saved */
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
                 graft_session_classify(session, batch, logits, 4, NULL);
    int best = 0;
    for (int i = 1; i < 4 && !failed; i++)
        best = logits[i] > logits[best] ? i : best;
    puts(failed ? graft_last_error_message() : graft_adapter_label(adapter, best));
    graft_batch_release(batch); /* in any order; NULL is fine */
    graft_session_release(session);
    graft_composition_release(composition);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return failed;
}
