#include "faults.h"

void test_model(const char *folder, const char *scratch) {
    graft_model *const untouched = (graft_model *)&batch;
    graft_model *out = untouched;
    invalid(graft_model_load(NULL, NULL, &out), "a NULL path is refused");
    invalid(graft_model_load(folder, NULL, NULL), "a NULL output is refused");
    expect(GRAFT_ERROR_NOT_FOUND, graft_model_load("", NULL, &out), "an empty path is not found");
    expect(GRAFT_ERROR_NOT_FOUND, graft_model_load("/no/such/folder", NULL, &out),
           "a missing folder is not found");
    expect_refused(graft_model_load(in(folder, "config.json"), NULL, &out), "a file is not a model folder");
    expect(GRAFT_ERROR_NOT_FOUND, graft_model_load(scratch, NULL, &out),
           "a folder without config.json is not found");
    expect_refused(graft_model_load("\xff\xfe", NULL, &out),
                   "a path that is not UTF-8 and not there is refused");

    graft_model_options options;
    graft_model_options_init(&options, sizeof options);
    options.precision = 7;
    invalid(graft_model_load(folder, &options, &out), "precision 7 is refused");
    graft_model_options_init(&options, sizeof options);
    options.thread_count = -1;
    invalid(graft_model_load(folder, &options, &out), "-1 threads are refused");
    options.thread_count = INT32_MAX;
    expect_refused(graft_model_load(folder, &options, &out), "two thousand million threads are refused");
    graft_model_options_init(&options, sizeof options);
    options.struct_size = 0;
    invalid(graft_model_load(folder, &options, &out), "a struct of size 0 is refused");
    options.struct_size = SIZE_MAX;
    invalid(graft_model_load(folder, &options, &out), "a struct of absurd size is refused");
    graft_model_options_init(NULL, sizeof options);
    graft_model_options_init(&options, 0);
    claim(out == untouched, "a failed load leaves its output alone", "another value");

    expect_number(-1, graft_model_layer_count(NULL), "NULL has -1 layers");
    expect_number(-1, graft_model_hidden_size(NULL), "NULL has width -1");
    expect_number(-1, graft_model_vocabulary_size(NULL), "NULL has a vocabulary of -1");
    expect_number(-1, graft_model_maximum_length(NULL), "NULL has a maximum length of -1");
    expect_number(-1, graft_model_parameter_count(NULL), "NULL has -1 parameters");
    expect_number(-1, graft_model_embedding_size(NULL), "NULL has embeddings of width -1");
    claim(graft_model_prompt_name(NULL, 0) == NULL, "NULL has no prompts", "one");
    claim(graft_model_prompt_name(model, 99) == NULL && graft_model_prompt_name(model, -1) == NULL,
          "a model has no prompt 99 and none -1", "one");
    const char *prompt = NULL;
    invalid(graft_model_prompt(NULL, NULL, &prompt), "the prompt of NULL is refused");
    invalid(graft_model_prompt(model, NULL, NULL), "a prompt into NULL is refused");
    invalid(graft_model_prompt(model, "\xff", &prompt), "the name of a prompt that is not UTF-8 is refused");
    expect(GRAFT_ERROR_NOT_FOUND, graft_model_prompt(model, "other", &prompt),
           "an unknown prompt is not found");
    claim(prompt == NULL, "a prompt that is not found leaves its output alone", "another value");
    expect(GRAFT_OK, graft_model_prompt(model, NULL, &prompt), "without a default prompt");
    claim(prompt && *prompt == 0, "nothing stands before a text", prompt ? prompt : "NULL");
    expect_number(-1, graft_model_end_token(NULL, 0), "NULL has no token that ends a text");
    expect_number(-1, graft_model_label_count(NULL), "NULL has no labels");
    claim(graft_model_label(NULL, 0) == NULL, "NULL has no label", "a label");
    expect_number(0, (int64_t)graft_model_checksum(NULL), "NULL has checksum 0");
    claim(graft_model_architecture(NULL) == NULL, "NULL has no architecture", "one");
    expect_number(-1, graft_model_layer_count((const graft_model *)tokenizer), "a tokenizer has -1 layers");
    expect_number(-1, graft_model_layer_count((const graft_model *)(uintptr_t)8),
                  "no object at 8 has -1 layers");

    graft_model *released = NULL;
    need(graft_model_load(folder, NULL, &released), "loading a second model");
    graft_model_release(released);
    expect_number(-1, graft_model_layer_count(released), "a released model has -1 layers");
    graft_model_release(released);
    graft_model_release(NULL);
    graft_model_release((graft_model *)tokenizer);
    claim(graft_tokenizer_vocabulary_size(tokenizer) > 0, "releasing as another kind does nothing",
          "a release");
}
