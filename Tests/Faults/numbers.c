/* Numbers that are not finite: in an adapter's file refused, in a model's found in what it
 * computes. */
#include "malformed.h"
#include <math.h>

/* NaN, infinity, -infinity */
static const uint32_t values[] = {0x7fc00000u, 0x7f800000u, 0xff800000u};

/* Writes a float32 into the last tensor's bytes of a safetensors file, `back` numbers before the
 * end. */
static void plant(const char *path, uint32_t bits, size_t back) {
    size_t size;
    char *bytes = read_file(path, &size);
    for (int i = 0; i < 4; i++)
        bytes[size - 4 * back + (size_t)i] = (char)(bits >> 8 * i & 0xff);
    write_bytes(path, bytes, size);
    free(bytes);
}

static void test_adapter(uint32_t bits) {
    const char *folder = copy_folder("lora/default", "adapter");
    graft_adapter *adapter = NULL;
    plant(join(folder, "adapter_model.safetensors"), bits, 2);
    expect(GRAFT_ERROR_CORRUPT_FILE, "classifier.weight\" has ", graft_adapter_load(tiny, folder, &adapter),
           "an adapter with a number that is none");
    claim(strstr(graft_last_error_message(), "[2, 30]") != NULL, "its place is said",
          graft_last_error_message());
}

/* The last bytes of the model's file are the word table's: those of the last token. */
static void test_model(uint32_t bits) {
    const char *folder = copy_folder("bert-tiny/sequence-classification", "model");
    int32_t tokens[] = {2, 3, 4, 119}, lengths[] = {2, 2}, labels[] = {0, 1};
    float out[256];
    graft_model *model = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL, *good = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    graft_dataset *data = NULL;
    graft_evaluation *evaluation = NULL;
    size_t size, length = 0;
    char *bytes = read_file(join(folder, "model.safetensors"), &size);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | (unsigned char)bytes[i];
    char *table = strstr(bytes + 8, "word_embeddings.weight"),
         *offsets = table ? strstr(table, "offsets\":[") : NULL;
    if (!offsets)
        exit(1);
    char *comma = strchr(offsets, ',');
    size_t end = 8 + length + (size_t)strtoul(comma + 1, NULL, 10);
    free(bytes);
    plant(join(folder, "model.safetensors"), bits, (size - end) / 4 + 1);
    need(graft_model_load(folder, NULL, &model), "loading a model with a number that is none");
    need(graft_session_create(model, NULL, &session), "making a session");
    need(graft_batch_create(tokens, NULL, lengths, 2, &batch), "making a batch");
    need(graft_batch_create(tokens, NULL, lengths, 1, &good), "making a batch without it");
    need(graft_batch_set_integers(batch, "labels", labels, 2, 1), "labelling it");
    expect(GRAFT_ERROR_DIVERGED, "row 1", graft_session_classify(session, batch, out, 256, NULL),
           "logits that are no numbers");
    expect(GRAFT_ERROR_DIVERGED, "row 1",
           graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, out, 256),
           "embeddings that are no numbers");
    expect(GRAFT_ERROR_DIVERGED, "row 1", graft_session_hidden_states(session, batch, 1, out, 256),
           "hidden states that are no numbers");
    expect(GRAFT_OK, "", graft_session_classify(session, good, out, 256, NULL), "a row that has none of it");
    need(graft_adapter_create(model, "lora", NULL, 1, &adapter), "making an adapter");
    need(graft_trainer_create(model, adapter, NULL, &trainer), "making a trainer");
    need(graft_dataset_create(&data), "making a dataset");
    need(graft_dataset_append(data, batch), "filling it");
    expect(GRAFT_ERROR_DIVERGED, "loss", graft_trainer_evaluate(trainer, data, &evaluation),
           "an evaluation whose loss is no number");
    graft_dataset_release(data);
    graft_trainer_release(trainer);
    graft_adapter_release(adapter);
    graft_batch_release(batch);
    graft_batch_release(good);
    graft_session_release(session);
    graft_model_release(model);
}

void test_numbers(void) {
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        test_adapter(values[i]);
        test_model(values[i]);
    }
}
