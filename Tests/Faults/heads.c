/* Heads that do not choose one of several labels: refused wherever they would be read, trained or
 * used. */
#include "malformed.h"

static graft_model *model_of(const char *problem) {
    const char *folder = copy_folder("bert-tiny/sequence-classification", "model");
    size_t size;
    char *config = read_file(join(folder, "config.json"), &size);
    char *edited = malloc(size + 100), *start = strchr(config, '{');
    if (!edited || !start)
        exit(1);
    int length = sprintf(edited, "{\"problem_type\": \"%s\",%s", problem, start + 1);
    write_bytes(join(folder, "config.json"), edited, (size_t)length);
    free(config);
    free(edited);
    graft_model *model = NULL;
    need(graft_model_load(folder, NULL, &model), "loading a model with a problem_type");
    return model;
}

static void test_problem(const char *problem) {
    static const char *const labels[] = {"a", "b", "c"};
    graft_model *model = model_of(problem);
    graft_adapter *adapter = NULL, *loaded = NULL;
    graft_trainer *trainer = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    graft_head_options head;
    int32_t tokens[] = {2, 3}, length = 2;
    float logits[3];
    graft_head_options_init(&head, sizeof head);
    head.labels = labels;
    head.label_count = 3;
    need(graft_adapter_create(model, "lora", NULL, 1, &adapter), "making an adapter");
    need(graft_session_create(model, NULL, &session), "making a session");
    need(graft_batch_create(tokens, NULL, &length, 1, &batch), "making a batch");
    expect(GRAFT_ERROR_UNSUPPORTED, problem,
           graft_adapter_load(model, join(goldens, "lora/default"), &loaded),
           "an adapter's head for another problem");
    expect(GRAFT_ERROR_UNSUPPORTED, problem,
           graft_adapter_set_head(adapter, GRAFT_TASK_SEQUENCE_CLASSIFICATION, &head), "a new head for it");
    expect(GRAFT_ERROR_UNSUPPORTED, problem, graft_trainer_create(model, adapter, NULL, &trainer),
           "training the base's own head for it");
    expect(GRAFT_ERROR_UNSUPPORTED, problem, graft_session_classify(session, batch, logits, 3, NULL),
           "using the base's own head for it");
    graft_batch_release(batch);
    graft_session_release(session);
    graft_adapter_release(adapter);
    graft_model_release(model);
}

void test_heads(void) {
    test_problem("multi_label_classification");
    test_problem("regression");
    graft_model *model = model_of("single_label_classification");
    graft_adapter *adapter = NULL;
    expect(GRAFT_OK, "", graft_adapter_load(model, join(goldens, "lora/default"), &adapter),
           "an adapter's head for one of several labels");
    graft_adapter_release(adapter);
    graft_model_release(model);
}
