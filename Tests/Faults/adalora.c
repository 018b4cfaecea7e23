/* Adapters whose ranks training prunes: files that do not say which, and trainings without a
 * schedule. */
#include "malformed.h"

/* The pruned adapter of the goldens with another value of `key` in its settings. */
static const char *edited(const char *key, const char *value) {
    const char *folder = copy_folder("adalora/pruned", "pruned");
    size_t size;
    char *config = read_file(join(folder, "adapter_config.json"), &size);
    char *place = strstr(config, key), *end = place ? strpbrk(place + strlen(key), ",}") : NULL;
    char *text = malloc(size + 100);
    if (!end || !text)
        exit(1);
    int length = sprintf(text, "%.*s%s%s%s", (int)(place - config), config, key, value, end);
    write_bytes(join(folder, "adapter_config.json"), text, (size_t)length);
    free(config);
    free(text);
    return folder;
}

static void expect_training(graft_model *model, graft_adapter *adapter, int32_t total_steps,
                            graft_status status, const char *words, const char *sentence) {
    graft_trainer *trainer = NULL;
    graft_batch *batch = NULL;
    graft_trainer_options options;
    int32_t tokens[] = {2, 3}, length = 2, label = 1;
    graft_trainer_options_init(&options, sizeof options);
    options.total_steps = total_steps;
    need(graft_batch_create(tokens, NULL, &length, 1, &batch), "making a batch");
    need(graft_batch_set_integers(batch, "labels", &label, 1, 1), "labelling a row");
    need(graft_trainer_create(model, adapter, &options, &trainer), "making a trainer");
    expect(status, words, graft_trainer_step(trainer, batch, NULL), sentence);
    graft_trainer_release(trainer);
    graft_batch_release(batch);
}

void test_adalora(void) {
    static const char *const labels[] = {"a", "b", "c"};
    graft_model *model = NULL;
    graft_adapter *adapter = NULL;
    need(graft_model_load(join(goldens, "bert-tiny/sequence-classification"), NULL, &model),
         "loading a classifier");
    expect(GRAFT_ERROR_CORRUPT_FILE, "for each of init_r ranks, 5",
           graft_adapter_load(model, edited("\"init_r\": ", "5"), &adapter), "a pattern of other ranks");
    expect(GRAFT_ERROR_CORRUPT_FILE, "init_r must be a whole number",
           graft_adapter_load(model, edited("\"init_r\": ", "-1"), &adapter), "ranks below none");
    expect(GRAFT_ERROR_CORRUPT_FILE, "leaves no steps",
           graft_adapter_load(model, edited("\"tfinal\": ", "10"), &adapter), "a schedule that never prunes");
    expect(GRAFT_ERROR_UNSUPPORTED, "use_dora",
           graft_adapter_load(model, edited("\"use_dora\": ", "true"), &adapter), "DoRA, which PEFT refuses");

    need(graft_adapter_load(model, join(goldens, "adalora/without-alpha"), &adapter),
         "an adapter that PEFT scales by its ranks");
    expect_training(model, adapter, 0, GRAFT_ERROR_UNSUPPORTED, "lora_alpha", "training it");
    graft_adapter_release(adapter);
    need(graft_adapter_create(model, "adalora", "{\"tinit\": 3}", 1, &adapter), "making an adapter");
    need(graft_adapter_set_head(adapter, "sequence_classification", labels, 3, NULL), "giving it a head");
    expect_training(model, adapter, 0, GRAFT_ERROR_INVALID_ARGUMENT, "total_step is null", "an open end");
    expect_training(model, adapter, 3, GRAFT_ERROR_INVALID_ARGUMENT, "leaves no steps", "an end too soon");
    expect_training(model, adapter, 4, GRAFT_OK, "", "an end");
    graft_adapter_release(adapter);
    graft_model_release(model);
}
