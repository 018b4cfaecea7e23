#include "faults.h"

void test_adapter_settings(void) {
    static const struct {
        graft_status expected;
        const char *settings;
    } cases[] = {
        {GRAFT_ERROR_INVALID_ARGUMENT, ""},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "[]"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"r\": 8,}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"r\": 8, \"r\": 4}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"r\": \"eight\"}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"r\": 0}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"r\": -3}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"r\": 1.5}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"rank\": 8}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"lora_dropout\": 1.5}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"lora_dropout\": -0.1}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"bias\": \"some\"}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"\xff\": 1}"},
        {GRAFT_ERROR_NOT_FOUND, "{\"target_modules\": [\"no_such_module\"]}"},
        {GRAFT_ERROR_UNSUPPORTED, "{\"use_qalora\": true}"},
        {GRAFT_ERROR_INVALID_ARGUMENT, "{\"use_dora\": true, \"lora_bias\": true}"},
    };
    graft_adapter *out = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].expected, graft_adapter_create(model, "lora", cases[i].settings, 0, &out),
               cases[i].settings);
    expect_refused(graft_adapter_create(model, "lora", "{\"r\": 1e30}", 0, &out),
                   "a rank of 1e30 is refused");
    expect_refused(graft_adapter_create(model, "lora", "{\"r\": 2000000000}", 0, &out),
                   "a rank of 2e9 is refused");
    expect_refused(graft_adapter_create(model, "lora", "{\"target_modules\": \"((((\"}", 0, &out),
                   "a broken regular expression is refused");

    enum { DEPTH = 100000 };
    char *deep = malloc(DEPTH + 1);
    if (!deep)
        exit(1);
    memset(deep, '[', DEPTH);
    deep[DEPTH] = '\0';
    invalid(graft_adapter_create(model, "lora", deep, 0, &out), "deep JSON is refused");
    free(deep);
    claim(out == NULL, "a failed creation leaves its output alone", "another value");
}

void test_adapter(const char *scratch) {
    graft_adapter *out = NULL;
    invalid(graft_adapter_create(NULL, "lora", NULL, 0, &out), "no model is refused");
    invalid(graft_adapter_create(model, NULL, NULL, 0, &out), "no method is refused");
    expect(GRAFT_ERROR_NOT_FOUND, graft_adapter_create(model, "no_such_method", NULL, 0, &out),
           "an unknown method is not found");
    invalid(graft_adapter_create(model, "lora", NULL, 0, NULL), "no output is refused");
    expect_number(-1, graft_adapter_label_count(NULL), "NULL has -1 labels");
    expect_number(-1, graft_adapter_parameter_count(NULL), "NULL has -1 parameters");
    expect_number(-1, graft_adapter_maximum_length(NULL), "NULL was trained on rows of -1 tokens");
    claim(!graft_adapter_label(adapter, 2) && !graft_adapter_label(adapter, -1) &&
              !graft_adapter_label(NULL, 0),
          "a label out of range is NULL", "one");
    claim(!graft_adapter_method(NULL) && !graft_adapter_config_json((const graft_adapter *)model),
          "a wrong handle has no method and no settings", "one");

    invalid(graft_adapter_load(model, NULL, &out), "an adapter at NULL is refused");
    expect(GRAFT_ERROR_NOT_FOUND, graft_adapter_load(model, in(scratch, "none"), &out),
           "no adapter is not found");
    invalid(graft_adapter_load(NULL, scratch, &out), "loading for NULL is refused");
    write_file(in(scratch, "file"), "content");
    expect_refused(graft_adapter_save(adapter, in(scratch, "file/adapter")),
                   "saving below a file is refused");
    invalid(graft_adapter_save(adapter, NULL), "saving to NULL is refused");
    invalid(graft_adapter_save(NULL, scratch), "saving NULL is refused");
    graft_adapter_release(NULL);
    graft_adapter_release((graft_adapter *)model);
    claim(graft_model_layer_count(model) > 0, "a model released as an adapter stays", "a release");
}

void test_head(void) {
    graft_adapter *bare = make_adapter(0);
    static const char *const one_missing[] = {"first", NULL};
    static const char *const twice[] = {"same", "same"};
    static const char *const not_utf8[] = {"first", "\xff"};
    const char *const task = "sequence_classification";
    invalid(graft_adapter_set_head(bare, task, NULL, 2, NULL), "NULL labels are refused");
    invalid(graft_adapter_set_head(bare, task, one_missing, 2, NULL), "a NULL label is refused");
    invalid(graft_adapter_set_head(bare, task, twice, 2, NULL), "two labels of one name are refused");
    invalid(graft_adapter_set_head(bare, task, not_utf8, 2, NULL), "a label that is not UTF-8 is refused");
    invalid(graft_adapter_set_head(bare, task, label_names, 1, NULL), "one label is refused");
    invalid(graft_adapter_set_head(bare, task, label_names, -4, NULL), "-4 labels are refused");
    invalid(graft_adapter_set_head(NULL, task, label_names, 2, NULL), "a head for NULL is refused");
    invalid(graft_adapter_set_head(bare, NULL, label_names, 2, NULL), "a task NULL is refused");
    invalid(graft_adapter_set_head(bare, "regression", NULL, 0, NULL), "no values are refused");
    invalid(graft_adapter_set_head(bare, "", label_names, 2, NULL), "labels of no task are refused");
    invalid(graft_adapter_set_head(bare, "", NULL, 0, "{}"), "settings of no task are refused");
    static const char *const settings[] = {
        "{",
        "[]",
        "{\"dropout\": 1.5}",
        "{\"dropout\": NaN}",
        "{\"dropout\": -1}",
        "{\"dense_layer\": 2}",
        "{\"pooling\": \"max\"}",
        "{\"pooling\": 1}",
        "{\"dropuot\": 0.5}",
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        invalid(graft_adapter_set_head(bare, task, label_names, 2, settings[i]), settings[i]);
    expect(GRAFT_ERROR_NOT_FOUND, graft_adapter_set_head(bare, "sorcery", label_names, 2, NULL),
           "an unknown task is not found");
    expect(GRAFT_ERROR_UNSUPPORTED,
           graft_adapter_set_head(bare, "token_classification", label_names, 2, "{\"pooling\": \"mean\"}"),
           "a head of tokens that pools is refused");
    claim(strcmp(graft_adapter_task(bare), "") == 0, "after refused heads there is none",
          graft_adapter_task(bare));
    need(graft_adapter_set_head(bare, "regression", NULL, 2, "{\"dropout\": null}"), "a head of two values");
    claim(strcmp(graft_adapter_task(bare), "regression") == 0, "it has its task", graft_adapter_task(bare));
    claim(strcmp(graft_adapter_label(bare, 1), "LABEL_1") == 0, "its values have numbers",
          graft_adapter_label(bare, 1));
    claim(graft_adapter_task(NULL) == NULL, "NULL has no task", "one");
    claim(graft_task_name(-1) == NULL && graft_task_name(graft_task_count()) == NULL,
          "a task out of range is NULL", "one");
    claim(strcmp(graft_task_name(0), task) == 0, "tasks have names", graft_task_name(0));
    graft_adapter_release(bare);
}

/* Several adapters as one. */
static void test_composites(void) {
    graft_composition *out = NULL, *leaf = NULL;
    need(graft_composition_create(adapter, 1, &leaf), "composing");
    const graft_composition *two[] = {leaf, leaf}, *holed[] = {leaf, NULL};
    const graft_composition *foreign[] = {leaf, (const graft_composition *)session};
    invalid(graft_composition_stack(NULL, 2, &out), "a stack of NULL is refused");
    invalid(graft_composition_stack(two, 0, &out), "a stack of none is refused");
    invalid(graft_composition_stack(two, -1, &out), "a stack of -1 is refused");
    invalid(graft_composition_stack(two, 33, &out), "a stack of 33 is refused");
    invalid(graft_composition_stack(holed, 2, &out), "NULL in a stack is refused");
    invalid(graft_composition_stack(foreign, 2, &out), "a session in a stack is refused");
    invalid(graft_composition_stack(two, 2, NULL), "a stack into NULL is refused");
    invalid(graft_composition_average(two, (const float[]){1, NAN}, 2, &out), "a weight of NaN is refused");
    invalid(graft_composition_average(two, (const float[]){1, -1}, 2, &out), "a weight of -1 is refused");
    invalid(graft_composition_average(two, (const float[]){0, 0}, 2, &out), "weights of 0 are refused");
    invalid(graft_composition_average(holed, NULL, 2, &out), "NULL in a mean is refused");
    invalid(graft_composition_average(two, NULL, 2, NULL), "a mean into NULL is refused");
    claim(out == NULL, "a refused composition leaves its output alone", "another value");

    need(graft_composition_average(two, (const float[]){3, 0}, 2, &out), "averaging");
    expect_number(1, graft_composition_adapter_count(out), "a mean leaves out what has no weight");
    graft_composition_release(out);
    need(graft_composition_stack(two, 2, &out), "stacking");
    graft_composition_release(leaf);
    expect_number(2, graft_composition_adapter_count(out), "a stack has its adapters");
    claim(graft_composition_scale(out) == 1, "a stack has the scale 1", "another");
    graft_adapter *found = NULL;
    need(graft_composition_adapter(out, 1, &found), "asking for the second");
    claim(found == adapter, "which is the handle that it was made of", "another");
    graft_adapter_release(found);
    invalid(graft_composition_adapter(out, 2, &found), "a third is refused");
    invalid(graft_composition_adapter(out, -1, &found), "one before the first is refused");
    expect_number(-1, graft_composition_adapter_count(NULL), "NULL has -1 adapters");
    graft_composition_release(out);
}

void test_composition(void) {
    graft_composition *out = NULL;
    invalid(graft_composition_create(NULL, 1, &out), "composing NULL is refused");
    invalid(graft_composition_create((const graft_adapter *)session, 1, &out),
            "composing a session is refused");
    invalid(graft_composition_create(adapter, NAN, &out), "a scale of NaN is refused");
    invalid(graft_composition_create(adapter, INFINITY, &out), "an infinite scale is refused");
    invalid(graft_composition_create(adapter, 1, NULL), "composing into NULL is refused");
    graft_composition_release(NULL);
    test_composites();

    graft_adapter *own = make_adapter(1), *found = NULL, *again = NULL;
    need(graft_composition_create(own, 0.5f, &out), "composing");
    claim(graft_composition_scale(out) == 0.5f, "a composition has its scale", "another");
    expect_number(2, graft_composition_label_count(out), "a composition has its adapter's labels");
    claim(strcmp(graft_composition_label(out, 1), "second") == 0, "in their order",
          graft_composition_label(out, 1));
    need(graft_composition_adapter(out, 0, &found), "asking for the adapter");
    claim(found == own, "a composition gives the handle that it was made of", "another");
    graft_adapter_release(own);
    expect_number(2, graft_adapter_label_count(found), "which has one more owner");
    need(graft_adapter_set_head(found, "", NULL, 0, NULL), "taking the head away");
    expect_number(0, graft_adapter_label_count(found), "an adapter without head has no labels");
    expect_number(2, graft_composition_label_count(out), "a composition keeps the head it was made with");
    graft_adapter_release(found);
    expect_number(-1, graft_adapter_label_count(found), "after its last owner the handle is gone");
    need(graft_composition_adapter(out, 0, &again), "asking for the adapter once more");
    claim(again != found && graft_adapter_parameter_count(again) > 0,
          "another handle stands for the same adapter", "none");
    graft_adapter_release(again);

    invalid(graft_composition_adapter(out, 0, NULL), "an adapter into NULL is refused");
    invalid(graft_composition_adapter(NULL, 0, &found), "the adapter of NULL is refused");
    invalid(graft_composition_adapter((const graft_composition *)model, 0, &found),
            "the adapter of a model is refused");
    claim(!graft_composition_label(out, 2) && !graft_composition_label(out, -1) &&
              !graft_composition_label(NULL, 0),
          "a label out of range is NULL", "one");
    expect_number(-1, graft_composition_label_count((const graft_composition *)adapter),
                  "an adapter is no composition of labels");
    claim(isnan(graft_composition_scale(NULL)), "NULL has no scale", "one");
    graft_composition_release(out);
}
