/* Heads of other problems than one of several labels: read, trained and used as what they are, and
 * mixed with none other. */
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

static void test_problem(const char *problem, const char *task, const char *other) {
    static const char *const labels[] = {"a", "b", "c"};
    static const float targets[] = {0, 1, 0.5f}, outside[] = {2, 0, 0};
    graft_model *model = model_of(problem);
    graft_adapter *adapter = NULL, *loaded = NULL;
    graft_trainer *trainer = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    int32_t tokens[] = {2, 3}, length = 2, label = 1;
    float logits[3];
    need(graft_adapter_create(model, "lora", NULL, 1, &adapter), "making an adapter");
    need(graft_session_create(model, NULL, &session), "making a session");
    need(graft_batch_create(tokens, NULL, &length, 1, &batch), "making a batch");
    expect(GRAFT_OK, "", graft_adapter_load(model, join(goldens, "lora/default"), &loaded),
           "an adapter's head is for the base's problem");
    claim(strcmp(graft_adapter_task(loaded), task) == 0, task, graft_adapter_task(loaded));
    expect(GRAFT_ERROR_INCOMPATIBLE, problem, graft_adapter_set_head(adapter, other, labels, 3, NULL),
           "a new head for another problem than the base's");
    expect(GRAFT_OK, "", graft_session_classify(session, batch, logits, 3, NULL),
           "using the base's own head");
    expect(GRAFT_OK, "", graft_trainer_create(model, adapter, NULL, &trainer),
           "training the base's own head");
    need(graft_batch_set_integers(batch, "labels", &label, 1, 1), "labelling rows");
    expect(GRAFT_ERROR_INCOMPATIBLE, "targets", graft_trainer_step(trainer, batch, NULL),
           "a step without the task's column");
    need(graft_batch_set_floats(batch, "targets", targets, 1, 1), "targets of another width");
    expect(GRAFT_ERROR_INCOMPATIBLE, "expected 3", graft_trainer_step(trainer, batch, NULL),
           "a step on one target for three labels");
    need(graft_batch_set_floats(batch, "targets", outside, 1, 3), "targets that are no probabilities");
    int is_value = strcmp(task, "regression") == 0;
    expect(is_value ? GRAFT_OK : GRAFT_ERROR_INCOMPATIBLE, is_value ? "" : "target 2.0",
           graft_trainer_step(trainer, batch, NULL), "a step on a target of 2");
    need(graft_batch_set_floats(batch, "targets", targets, 1, 3), "targets");
    expect(GRAFT_OK, "", graft_trainer_step(trainer, batch, NULL), "a step on targets");
    graft_trainer_release(trainer);
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.label_smoothing = 0.1f;
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "label_smoothing",
           graft_trainer_create(model, adapter, &options, &trainer),
           "labels that are not one of several, smoothed");
    int32_t best[3];
    expect(is_value ? GRAFT_ERROR_INVALID_ARGUMENT : GRAFT_OK, is_value ? "values" : "",
           graft_session_predict(session, batch, 3, best, NULL, 3), "the likeliest labels");
    graft_batch_release(batch);
    graft_session_release(session);
    graft_adapter_release(adapter);
    graft_adapter_release(loaded);
    graft_model_release(model);
}

void test_heads(void) {
    test_problem("multi_label_classification", "multi_label_classification", "regression");
    test_problem("regression", "regression", "sequence_classification");
    graft_model *model = model_of("single_label_classification");
    graft_adapter *adapter = NULL;
    expect(GRAFT_OK, "", graft_adapter_load(model, join(goldens, "lora/default"), &adapter),
           "an adapter's head for one of several labels");
    graft_adapter_release(adapter);
    graft_model_release(model);
}
