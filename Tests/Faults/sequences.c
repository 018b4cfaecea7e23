/* Models that read rows and write others: what they do not do, targets that are missing, too long
 * or unknown, and files that say wrong things of texts. */
#include "malformed.h"

enum { LENGTH = 70 };

static int32_t no_more(void *user_data, const graft_token *token) {
    (void)token;
    ++*(int *)user_data;
    return 1;
}

static void test_training(const graft_model *model) {
    static const int32_t tokens[LENGTH] = {5, 6}, length = 2, far = LENGTH, unknown[] = {5, 110};
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    graft_batch *batch = NULL, *targets = NULL;
    graft_trainer_options options;
    need(graft_adapter_create(model, "lora", "{\"task_type\": \"SEQ_2_SEQ_LM\"}", 1, &adapter),
         "making an adapter");
    expect(GRAFT_ERROR_UNSUPPORTED, "for the task seq_2_seq_lm",
           graft_adapter_set_head(adapter, "language_model", NULL, 0, NULL), "another task");
    graft_trainer_options_init(&options, sizeof options);
    options.step_plan = "fgm";
    expect(GRAFT_ERROR_UNSUPPORTED, "fgm", graft_trainer_create(model, adapter, &options, &trainer),
           "adversarial steps on the rows of two stacks");
    need(graft_trainer_create(model, adapter, NULL, &trainer), "making a trainer");
    need(graft_batch_create(tokens, NULL, &length, 1, &batch), "making a batch");
    expect(GRAFT_ERROR_INCOMPATIBLE, "no targets", graft_trainer_step(trainer, batch, NULL),
           "rows without targets");
    need(graft_batch_create(tokens, NULL, &far, 1, &targets), "making long targets");
    need(graft_batch_set_targets(batch, targets), "setting them");
    expect(GRAFT_ERROR_INCOMPATIBLE, "targets: row 0 has 70 tokens", graft_trainer_step(trainer, batch, NULL),
           "a target longer than the model");
    graft_batch_release(targets);
    need(graft_batch_create(unknown, NULL, &length, 1, &targets), "making unknown targets");
    need(graft_batch_set_targets(batch, targets), "setting them");
    expect(GRAFT_ERROR_INCOMPATIBLE, "label 110", graft_trainer_step(trainer, batch, NULL),
           "a target outside the vocabulary");
    need(graft_batch_set_targets(batch, batch), "targets as they should be");
    expect(GRAFT_OK, "", graft_trainer_step(trainer, batch, NULL), "a step after all of that");
    graft_batch_release(targets);
    graft_trainer_release(trainer);
    graft_trainer_options_init(&options, sizeof options);
    options.loss = "dpo";
    options.label_smoothing = 0.1f;
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "one of loss_settings",
           graft_trainer_create(model, adapter, &options, &trainer), "preferences with another smoothing");
    options.label_smoothing = 0;
    need(graft_trainer_create(model, adapter, &options, &trainer), "making a trainer of preferences");
    expect(GRAFT_ERROR_INCOMPATIBLE, "no group_places", graft_trainer_step(trainer, batch, NULL),
           "answers that are no pairs");
    need(graft_batch_set_integers(batch, "group_places", (const int32_t[]){0}, 1, 1), "half a pair");
    expect(GRAFT_ERROR_INCOMPATIBLE, "loss dpo expects 2", graft_trainer_step(trainer, batch, NULL),
           "a pair of one answer");
    graft_batch_release(batch);
    graft_trainer_release(trainer);
    graft_adapter_release(adapter);
}

static void test_sessions(const graft_model *model) {
    static const int32_t tokens[LENGTH] = {5, 6}, length = 2, far = LENGTH;
    graft_session *session = NULL;
    graft_batch *batch = NULL, *beyond = NULL;
    float numbers[64];
    int written = 0;
    need(graft_session_create(model, NULL, &session), "making a session");
    need(graft_batch_create(tokens, NULL, &length, 1, &batch), "making a batch");
    need(graft_batch_create(tokens, NULL, &far, 1, &beyond), "making a long one");
    expect(GRAFT_ERROR_UNSUPPORTED, "reads rows and writes others",
           graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, numbers, 32), "vectors of such rows");
    expect(GRAFT_ERROR_INCOMPATIBLE, "row 0 has 70 tokens",
           graft_session_generate(session, NULL, beyond, NULL, no_more, &written),
           "a source longer than the model");
    claim(written == 0, "a refused call hands out no token", "a token");
    expect(GRAFT_OK, "", graft_session_generate(session, NULL, batch, NULL, no_more, &written),
           "writing after that");
    claim(written == 1, "the callback ended the row", "it did not");
    expect(GRAFT_OK, "", graft_session_hidden_states(session, batch, -1, numbers, 64),
           "what the encoder makes of rows");
    graft_batch_release(beyond);
    graft_batch_release(batch);
    graft_session_release(session);
}

void test_sequences(void) {
    graft_model *model = NULL;
    graft_adapter *adapter = NULL;
    need(graft_model_load(join(goldens, "seq2seq-tiny/marian"), NULL, &model), "loading a Marian");
    test_training(model);
    test_sessions(model);
    static const char *const methods[] = {"prefix_tuning", "prompt_tuning"};
    for (int i = 0; i < 2; i++)
        expect(GRAFT_ERROR_UNSUPPORTED, methods[i],
               graft_adapter_create(model, methods[i], NULL, 1, &adapter), "rows before those of two stacks");
    need(graft_adapter_create(tiny, "lora", NULL, 1, &adapter), "making an adapter");
    expect(GRAFT_ERROR_UNSUPPORTED, "has no encoder whose rows",
           graft_adapter_set_head(adapter, "seq_2_seq_lm", NULL, 0, NULL), "the task on an encoder alone");
    graft_adapter_release(adapter);
    graft_model_release(model);

    /* In generation_config.json words of several tokens, which are not done, and no words. */
    static const char *const rules[][2] = {{"{\"bad_words_ids\": [[3, 4]]}", "bad_words_ids"},
                                           {"{\"bad_words_ids\": 3}", "bad_words_ids"},
                                           {"{\"decoder_start_token_id\": \"a\"}", "decoder_start_token_id"}};
    for (int i = 0; i < 3; i++) {
        const char *folder = copy_folder("seq2seq-tiny/marian", "marian");
        write_bytes(join(folder, "generation_config.json"), rules[i][0], strlen(rules[i][0]));
        model = NULL;
        expect(GRAFT_ERROR_CORRUPT_FILE, rules[i][1], graft_model_load(folder, NULL, &model),
               "a rule of texts that is none");
        graft_model_release(model);
    }
}
