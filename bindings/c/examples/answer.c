/* Finds answers to questions in texts, or that there is none, with a LoRA adapter that learns it
 * from others.
 *
 *     answer MODEL TRAIN.tsv VALIDATION.tsv TEST.tsv ADAPTER [EPOCHS]
 *
 * A line of a file is: question TAB context TAB answer, where the answer stands in the context;
 * empty, where the question has none. Contexts that are too long are read in windows. Which
 * questions are said to have no answer is chosen on those of VALIDATION. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 256, STRIDE = 64, LONGEST_ANSWER = 30, MAXIMUM_ROWS = 1 << 16 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        stop("out of memory", "allocating");
    return memory;
}

typedef struct questions {
    const char *texts[MAXIMUM_ROWS], *contexts[MAXIMUM_ROWS], *answers[MAXIMUM_ROWS];
    int64_t count;
    graft_windows *windows;
} questions;

/* Unicode characters of the first `size` bytes. */
static int64_t characters(const char *text, size_t size) {
    int64_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static questions *read_questions(const graft_tokenizer *tokenizer, const char *path) {
    FILE *file = fopen(path, "r");
    if (!file)
        stop("cannot read", path);
    questions *rows = allocate(1, sizeof *rows);
    static char line[1 << 16];
    while (rows->count < MAXIMUM_ROWS && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *own = strdup(line), *context = own ? strchr(own, '\t') : NULL;
        char *answer = context ? strchr(context + 1, '\t') : NULL;
        if (!answer)
            stop("expected question TAB context TAB answer", line);
        *context++ = *answer++ = '\0';
        rows->texts[rows->count] = own;
        rows->contexts[rows->count] = context;
        rows->answers[rows->count++] = answer;
    }
    fclose(file);
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = WINDOW;
    check(graft_windows_encode(tokenizer, rows->texts, rows->contexts, rows->count, &options, STRIDE,
                               &rows->windows),
          path);
    return rows;
}

/* The windows as rows that say where the answers are. */
static graft_dataset *labelled(const questions *rows) {
    int64_t *answers = allocate((size_t)rows->count, 2 * sizeof *answers);
    int64_t windows = graft_windows_count(rows->windows);
    int32_t *spans = allocate((size_t)windows, 2 * sizeof *spans);
    for (int64_t i = 0; i < rows->count; i++) {
        size_t size = strlen(rows->answers[i]);
        const char *found = size ? strstr(rows->contexts[i], rows->answers[i]) : NULL;
        if (size && !found)
            stop("the answer is not in its context", rows->answers[i]);
        answers[2 * i] = found ? characters(rows->contexts[i], (size_t)(found - rows->contexts[i])) : -1;
        answers[2 * i + 1] = found ? answers[2 * i] + characters(found, size) : -1;
    }
    graft_batch *batch = NULL;
    graft_dataset *dataset = NULL;
    check(graft_windows_label(rows->windows, answers, rows->count, spans, 2 * windows),
          "finding the answers");
    check(graft_windows_batch(rows->windows, &batch), "making rows");
    check(graft_batch_set_integers(batch, "answer_spans", spans, windows, 2), "labelling rows");
    check(graft_dataset_create(&dataset), "making a data set");
    check(graft_dataset_append(dataset, batch), "filling it");
    graft_batch_release(batch);
    free(spans);
    free(answers);
    return dataset;
}

typedef struct answers {
    graft_answer *found;
    const char **texts;
    double *no_answer; /* the score of no answer, less that of the best one */
} answers;

static answers find_answers(graft_session *session, const questions *rows) {
    graft_batch *batch = NULL;
    check(graft_windows_batch(rows->windows, &batch), "making rows");
    int64_t count = 2 * graft_batch_token_count(batch);
    size_t size = (size_t)rows->count;
    float *logits = allocate((size_t)count, sizeof *logits);
    answers all = {allocate(size, sizeof *all.found), allocate(size, sizeof *all.texts),
                   allocate(size, sizeof *all.no_answer)};
    check(graft_session_classify(session, batch, logits, count, NULL), "running the model");
    check(graft_windows_answers(rows->windows, logits, count, 1, LONGEST_ANSWER, all.found, rows->count,
                                all.no_answer),
          "finding answers");
    for (int64_t i = 0; i < rows->count; i++) {
        size_t length = (size_t)(all.found[i].end_byte - all.found[i].first_byte);
        char *text = allocate(length + 1, 1);
        all.texts[i] = memcpy(text, rows->contexts[i] + all.found[i].first_byte, length);
    }
    graft_batch_release(batch);
    free(logits);
    return all;
}

static graft_evaluation *measure(const questions *rows, const answers *all) {
    const char **accepted = allocate((size_t)rows->count, sizeof *accepted);
    int64_t *starts = allocate((size_t)rows->count + 1, sizeof *starts);
    for (int64_t i = 0; i < rows->count; i++) {
        starts[i + 1] = starts[i];
        if (*rows->answers[i])
            accepted[starts[i + 1]++] = rows->answers[i];
    }
    graft_evaluation *evaluation = NULL;
    check(graft_evaluate_answers(all->texts, accepted, starts, all->no_answer, rows->count, "squad",
                                 &evaluation),
          "measuring");
    free(starts);
    free(accepted);
    return evaluation;
}

/* The score of no answer above which questions are best said to have none. */
static double choose_threshold(graft_session *session, const questions *rows) {
    answers all = find_answers(session, rows);
    graft_evaluation *evaluation = measure(rows, &all);
    double threshold = graft_evaluation_value(evaluation, "best_f1_threshold");
    printf("threshold %.2f  F1 %.4f of %lld questions, %.4f without it\n", threshold,
           graft_evaluation_value(evaluation, "best_f1"), (long long)rows->count,
           graft_evaluation_value(evaluation, "f1"));
    graft_evaluation_release(evaluation);
    return threshold;
}

/* Answers all questions; prints the first few answers, and what all are worth. */
static void answer(graft_session *session, const questions *rows, double threshold) {
    answers all = find_answers(session, rows);
    for (int64_t i = 0; i < rows->count; i++) {
        if (all.no_answer[i] > threshold)
            all.texts[i] = "";
        if (i < 4)
            printf("%s\n  %s  (score %.2f, no answer %.2f; expected: %s)\n", rows->texts[i],
                   *all.texts[i] ? all.texts[i] : "has no answer", all.found[i].score, all.no_answer[i],
                   *rows->answers[i] ? rows->answers[i] : "no answer");
    }
    graft_evaluation *evaluation = measure(rows, &all);
    printf(
        "exact match %.4f  F1 %.4f of %lld questions: %.4f of those with an answer, %.4f of those without\n",
        graft_evaluation_value(evaluation, "exact_match"), graft_evaluation_value(evaluation, "f1"),
        (long long)rows->count, graft_evaluation_value(evaluation, "has_answer_f1"),
        graft_evaluation_value(evaluation, "no_answer_f1"));
    graft_evaluation_release(evaluation);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 6 && argument_count != 7)
        stop("usage", "answer MODEL TRAIN.tsv VALIDATION.tsv TEST.tsv ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    graft_session *session = NULL;
    graft_composition *composition = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    questions *train = read_questions(tokenizer, arguments[2]);
    questions *validation = read_questions(tokenizer, arguments[3]);
    questions *test = read_questions(tokenizer, arguments[4]);
    check(graft_adapter_create(model, "lora", "{\"r\": 16, \"lora_alpha\": 32}", 0, &adapter),
          "making the adapter");
    check(graft_adapter_set_head(adapter, "question_answering", NULL, 0, NULL), "choosing the task");
    graft_dataset *dataset = labelled(train);
    printf("%lld questions in %lld windows\n", (long long)train->count,
           (long long)graft_dataset_row_count(dataset));

    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.learning_rate = 2e-3f;
    options.rows_per_batch = 8;
    options.epoch_count = argument_count == 7 ? atoi(arguments[6]) : 3;
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    check(graft_trainer_fit(trainer, dataset, NULL, NULL, NULL, NULL, NULL), "training");
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[5]), "saving the adapter");

    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_composition_create(adapter, 1, &composition), "choosing the adapter");
    check(graft_session_set_adapters(session, composition), "attaching it");
    answer(session, test, choose_threshold(session, validation));
    graft_composition_release(composition);
    graft_session_release(session);
    graft_dataset_release(dataset);
    graft_windows_release(test->windows);
    graft_windows_release(validation->windows);
    graft_windows_release(train->windows);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
