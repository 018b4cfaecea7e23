#include "faults.h"

void test_trainer_options(graft_adapter *trained) {
    graft_trainer_options options;
    graft_trainer *out = NULL;
#define OPTION(field, value)                                                                                 \
    graft_trainer_options_init(&options, sizeof options);                                                    \
    options.field = value;                                                                                   \
    invalid(graft_trainer_create(model, trained, &options, &out), #field " " #value " is refused")
    OPTION(struct_size, 5);
    OPTION(thread_count, -1);
    OPTION(pass_token_count, -1);
    OPTION(metric, "sorcery");
    OPTION(learning_rate, NAN);
    OPTION(learning_rate, -1.0f);
    OPTION(learning_rate, INFINITY);
    OPTION(maximum_gradient_norm, -1.0f);
    OPTION(label_smoothing, 1.5f);
    OPTION(total_steps, -1);
    OPTION(rows_per_batch, 0);
    OPTION(rows_per_batch, -32);
    OPTION(batches_per_step, 0);
    OPTION(epoch_count, -1);
    OPTION(evaluation_steps, -1);
    OPTION(patience, -1);
    OPTION(checkpoint_steps, -1);
    OPTION(group_by_length, 2);
    OPTION(recompute_layers, 2);
    OPTION(reserved, 1);
    OPTION(cancel_token, (const graft_cancel_token *)model);
    OPTION(optimizer, "\xff");
    OPTION(optimizer_settings, "{\"weight_decay\": -0.1}");
    OPTION(optimizer_settings, "{\"weight_decay\": \"much\"}");
    OPTION(optimizer_settings, "{\"beta1\": 1}");
    OPTION(optimizer_settings, "{\"beta2\": -0.5}");
    OPTION(optimizer_settings, "{\"epsilon\": 0}");
    OPTION(optimizer_settings, "{\"momentum\": 0.5}");
    OPTION(optimizer_settings, "{\"l2\": 0}");
    OPTION(optimizer_settings, "{\"beta1\": 0.9");
    OPTION(optimizer_settings, "[]");
    OPTION(optimizer_settings, "");
    OPTION(schedule_settings, "{\"warmup_ratio\": -0.1}");
    OPTION(schedule_settings, "{\"warmup_ratio\": 1.5}");
    OPTION(schedule_settings, "{\"warmup_steps\": -1}");
    OPTION(schedule_settings, "{\"warmup_steps\": 1.5}");
    OPTION(step_plan_settings, "{\"warmup_steps\": 1}");
    OPTION(loss, "cosent");
    OPTION(loss_settings, "{}");
    OPTION(loss_settings, "{\"dimensions\": [0]}");
    OPTION(masking, "{}");
    OPTION(masking, "{\"mask_token\": 1, \"mlm_probability\": 1.5}");
    OPTION(masking, "{\"mask_token\": 1}");
#undef OPTION
    graft_trainer_options_init(&options, sizeof options);
    options.optimizer = "lion";
    expect(GRAFT_ERROR_NOT_FOUND, graft_trainer_create(model, trained, &options, &out),
           "an unknown optimizer is not found");
    claim(strstr(graft_last_error_message(), "adamw, adam, sgd, adagrad") != NULL, "the message lists them",
          graft_last_error_message());
    graft_trainer_options_init(&options, sizeof options);
    options.schedule = "";
    expect(GRAFT_ERROR_NOT_FOUND, graft_trainer_create(model, trained, &options, &out),
           "an unknown schedule is not found");
    options.schedule = NULL;
    options.step_plan = "Plain";
    expect(GRAFT_ERROR_NOT_FOUND, graft_trainer_create(model, trained, &options, &out),
           "an unknown step plan is not found");
    static const float bad_weights[] = {1, NAN};
    graft_trainer_options_init(&options, sizeof options);
    options.class_weights = bad_weights;
    invalid(graft_trainer_create(model, trained, &options, &out),
            "a class weight that is not a number is refused");
    claim(out == NULL, "a failed trainer leaves its output alone", "another value");
}

/* The names of a list and the declarations of its settings. */
static void test_open_list(const char *what, int32_t count, const char *(*name)(int32_t),
                           const char *(*settings)(const char *), const char *first) {
    claim(count >= 1 && name(-1) == NULL && name(count) == NULL, "names end", what);
    claim(count >= 1 && strcmp(name(0), first) == 0, "the first comes first", what);
    for (int32_t i = 0; i < count; i++) {
        const char *text = settings(name(i));
        claim(text != NULL && text[0] == '{' && text == settings(name(i)), "settings are declared", name(i));
    }
    claim(settings("lion") == NULL && settings(NULL) == NULL && settings("") == NULL,
          "an unknown name has no settings", what);
}

static void test_open_lists(void) {
    test_open_list("optimizers", graft_optimizer_count(), graft_optimizer_name, graft_optimizer_settings,
                   "adamw");
    test_open_list("schedules", graft_schedule_count(), graft_schedule_name, graft_schedule_settings,
                   "constant");
    test_open_list("step plans", graft_step_plan_count(), graft_step_plan_name, graft_step_plan_settings,
                   "plain");
    test_open_list("losses", graft_loss_count(), graft_loss_name, graft_loss_settings, "in_batch_negatives");
    const char *adam = graft_optimizer_settings("adam");
    claim(strstr(adam, "\"l2\": {\"type\": \"number\", \"default\": 0.0") != NULL,
          "Adam's l2 is 0 by default", adam);
}

static int32_t stop_at_once(void *user_data, const graft_metrics *metrics) {
    (void)metrics;
    ++*(int *)user_data;
    return 1;
}

void test_trainer(const char *scratch) {
    graft_trainer *out = NULL;
    graft_adapter *bare = make_adapter(0);
    expect_refused(graft_trainer_create(model, bare, NULL, &out), "an adapter without a head is refused");
    graft_adapter_release(bare);
    graft_adapter *trained = make_adapter(1);
    invalid(graft_trainer_create(NULL, trained, NULL, &out), "training NULL is refused");
    invalid(graft_trainer_create(model, NULL, NULL, &out), "no adapter is refused");
    invalid(graft_trainer_create(model, trained, NULL, NULL), "no output is refused");
    test_trainer_options(trained);
    test_open_lists();

    need(graft_trainer_create(model, trained, NULL, &out), "making a trainer");
    graft_metrics metrics;
    graft_metrics_init(&metrics, sizeof metrics);
    graft_batch *unlabelled = NULL, *outside = tokens_batch(1 << 30, 4, 0),
                *negative = tokens_batch(-1, 4, 0), *too_long = tokens_batch(101, 600, 0),
                *wrong_label = tokens_batch(101, 4, 2);
    need(graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &unlabelled), "encoding");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_trainer_step(out, unlabelled, NULL),
           "a step without labels is refused");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_trainer_step(out, outside, NULL),
           "a step on token 2^30 is refused");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_trainer_step(out, negative, NULL),
           "a step on token -1 is refused");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_trainer_step(out, too_long, NULL),
           "a step on 600 tokens is refused");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_trainer_step(out, wrong_label, NULL),
           "a step on label 2 of 2 is refused");
    invalid(graft_trainer_step(out, NULL, NULL), "a step on NULL is refused");
    invalid(graft_trainer_step(NULL, batch, NULL), "a step of NULL is refused");
    metrics.struct_size = 2;
    invalid(graft_trainer_step(out, batch, &metrics), "metrics of size 2 are refused");
    graft_metrics_init(&metrics, sizeof metrics);
    expect(GRAFT_OK, graft_trainer_step(out, batch, &metrics), "a step on good rows follows");
    graft_batch_release(unlabelled);
    graft_batch_release(outside);
    graft_batch_release(negative);
    graft_batch_release(too_long);
    graft_batch_release(wrong_label);

    int64_t confusion[4];
    graft_evaluation *evaluation = NULL;
    invalid(graft_trainer_evaluate(out, NULL, &evaluation), "evaluating on NULL is refused");
    invalid(graft_trainer_evaluate(out, dataset, NULL), "an evaluation into NULL is refused");
    need(graft_trainer_evaluate(out, dataset, &evaluation), "evaluating");
    claim(strcmp(graft_evaluation_name(evaluation, 0), "loss") == 0,
          "an evaluation's first value is the loss", graft_evaluation_name(evaluation, 0));
    claim(graft_evaluation_value(evaluation, "accuracy") >= 0, "it has values by their names", "none");
    claim(isnan(graft_evaluation_value(evaluation, "sorcery")) &&
              isnan(graft_evaluation_value(evaluation, NULL)) && isnan(graft_evaluation_value(NULL, "loss")),
          "it has no other values", "one");
    claim(graft_evaluation_name(evaluation, -1) == NULL &&
              graft_evaluation_name(evaluation, graft_evaluation_value_count(evaluation)) == NULL,
          "a value out of range has no name", "one");
    expect_number(2, graft_evaluation_label_count(evaluation), "its confusion matrix is of two labels");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_evaluation_confusion(evaluation, confusion, 3),
           "a confusion matrix of 3 is too small");
    invalid(graft_evaluation_confusion(evaluation, NULL, 4),
            "a NULL confusion matrix with a capacity is refused");
    invalid(graft_evaluation_confusion(NULL, confusion, 4), "the confusion matrix of NULL is refused");
    need(graft_evaluation_confusion(evaluation, confusion, 4), "reading the confusion matrix");
    expect_number(graft_evaluation_row_count(evaluation),
                  confusion[0] + confusion[1] + confusion[2] + confusion[3], "it counts each row");
    graft_evaluation_release(evaluation);
    graft_evaluation_release(evaluation);
    expect_number(-1, graft_evaluation_row_count(evaluation), "a released evaluation has -1 rows");
    expect_number(-1, graft_evaluation_token_count(NULL), "NULL has -1 tokens measured");
    expect_number(-1, graft_evaluation_value_count((const graft_evaluation *)model),
                  "a model is no evaluation");
    expect_number(-1, graft_evaluation_label_count(NULL), "NULL has -1 labels measured");
    claim(graft_metric_name(-1) == NULL && graft_metric_name(graft_metric_count()) == NULL,
          "a measure out of range is NULL", "one");
    invalid(graft_trainer_fit(out, NULL, NULL, NULL, NULL, NULL, NULL), "training on NULL is refused");
    invalid(graft_trainer_fit(out, (const graft_dataset *)batch, NULL, NULL, NULL, NULL, NULL),
            "training on a batch is refused");
    graft_dataset *empty = NULL;
    need(graft_dataset_create(&empty), "making a dataset");
    expect_refused(graft_trainer_fit(out, empty, NULL, NULL, NULL, NULL, NULL),
                   "training on nothing is refused");
    graft_dataset_release(empty);
    /* Rows of class weight 0 are nothing, too, but for a step, which they do not make. */
    static const float no_weights[] = {0, 0};
    graft_trainer_options nothing;
    graft_trainer_options_init(&nothing, sizeof nothing);
    nothing.class_weights = no_weights;
    graft_trainer *weightless = NULL;
    graft_adapter *other = make_adapter(1);
    need(graft_trainer_create(model, other, &nothing, &weightless), "making a trainer");
    invalid(graft_trainer_fit(weightless, dataset, NULL, NULL, NULL, NULL, NULL),
            "training on rows of weight 0 is refused");
    claim(strstr(graft_last_error_message(), "the training set") != NULL, "the message names the set",
          graft_last_error_message());
    expect(GRAFT_OK, graft_trainer_step(weightless, batch, &metrics), "a step in which nothing counts");
    expect_number(0, metrics.step, "is none");
    graft_trainer_release(weightless);
    graft_adapter_release(other);
    int calls = 0;
    expect(GRAFT_ERROR_CANCELLED, graft_trainer_fit(out, dataset, NULL, stop_at_once, &calls, NULL, NULL),
           "a callback stops the training");
    expect_number(1, calls, "it is not called again");

    expect(GRAFT_ERROR_NOT_FOUND, graft_trainer_resume(out, in(scratch, "none")),
           "no checkpoint is not found");
    invalid(graft_trainer_resume(out, NULL), "a checkpoint at NULL is refused");
    expect_refused(graft_trainer_save(out, in(scratch, "file/checkpoint")),
                   "a checkpoint below a file is refused");
    invalid(graft_trainer_save(out, NULL), "a checkpoint to NULL is refused");
    graft_trainer_release(out);
    graft_trainer_release(out);

    graft_trainer_options options;
    graft_cancel_token *token = NULL;
    graft_trainer_options_init(&options, sizeof options);
    invalid(graft_cancel_token_create(NULL), "a token into NULL is refused");
    need(graft_cancel_token_create(&token), "making a token");
    options.cancel_token = token;
    need(graft_trainer_create(model, trained, &options, &out), "making a trainer with a token");
    graft_cancel_token_cancel(NULL);
    graft_cancel_token_cancel(token);
    graft_cancel_token_release(token);
    expect(GRAFT_ERROR_CANCELLED, graft_trainer_fit(out, dataset, NULL, NULL, NULL, NULL, NULL),
           "a cancelled token that was released still stops a training");
    graft_trainer_release(out);
    graft_adapter_release(trained);
}
