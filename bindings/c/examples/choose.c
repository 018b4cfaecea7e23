/* Chooses the right answer of several, with a LoRA adapter that learns it from other questions.
 * Prints how many of the test questions it gets right before and after, and its answers to the
 * first.
 *
 *     choose MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS]
 *
 * A line of the files is: question TAB choice TAB choice ... TAB number of the right one, from 0.
 * There may be any number of choices. ADAPTER is the folder to save to. */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 1 << 16, MOST_CHOICES = 64, MAXIMUM_LENGTH = 128, SHOWN = 3 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

/* A question with its choices: a row has both. */
typedef struct question {
    const char *texts[MOST_CHOICES], *choices[MOST_CHOICES];
    int32_t places[MOST_CHOICES], is_right[MOST_CHOICES], count;
    char line[LINE_SIZE];
} question;

/* The next line of a file; false at its end. */
static int read_question(FILE *file, question *own) {
    if (!fgets(own->line, LINE_SIZE, file))
        return 0;
    own->line[strcspn(own->line, "\r\n")] = '\0';
    char *last = strrchr(own->line, '\t'), *end = NULL;
    long right = last ? strtol(last + 1, &end, 10) : -1;
    if (!last || end == last + 1 || *end)
        stop("expected question TAB choice TAB choice ... TAB number", own->line);
    *last = '\0';
    own->count = 0;
    for (char *tab = strchr(own->line, '\t'); tab; tab = strchr(tab + 1, '\t'), own->count++) {
        if (own->count == MOST_CHOICES)
            stop("expected fewer choices", own->line);
        *tab = '\0';
        own->texts[own->count] = own->line;
        own->choices[own->count] = tab + 1;
        own->places[own->count] = own->count;
        own->is_right[own->count] = own->count == right;
    }
    if (own->count < 2 || right < 0 || right >= own->count)
        stop("expected two choices or more, and the number of one", own->line);
    return 1;
}

static graft_batch *encode(const graft_tokenizer *tokenizer, const question *own) {
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = MAXIMUM_LENGTH;
    graft_batch *batch = NULL;
    check(graft_batch_encode(tokenizer, own->texts, own->choices, own->count, &options, &batch), own->line);
    return batch;
}

static FILE *open_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        stop("cannot read", path);
    return file;
}

static graft_dataset *read_questions(const graft_tokenizer *tokenizer, const char *path) {
    static question own;
    FILE *file = open_file(path);
    graft_dataset *dataset = NULL;
    check(graft_dataset_create(&dataset), path);
    while (read_question(file, &own)) {
        graft_batch *batch = encode(tokenizer, &own);
        check(graft_batch_set_integers(batch, "group_places", own.places, own.count, 1), own.line);
        check(graft_batch_set_integers(batch, "labels", own.is_right, own.count, 1), own.line);
        check(graft_dataset_append(dataset, batch), own.line);
        graft_batch_release(batch);
    }
    fclose(file);
    return dataset;
}

static void print_accuracy(graft_trainer *trainer, const graft_dataset *test, const char *when) {
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_evaluate(trainer, test, &evaluation), "evaluating");
    printf("%s  accuracy %.4f\n", when, graft_evaluation_value(evaluation, "accuracy"));
    graft_evaluation_release(evaluation);
}

/* Prints the first questions of a file, and the choice with the highest score of each. */
static void answer(const graft_model *model, const graft_tokenizer *tokenizer, const graft_adapter *adapter,
                   const char *path) {
    static question own;
    graft_composition *composition = NULL;
    graft_session *session = NULL;
    check(graft_composition_create(adapter, 1, &composition), "choosing the adapter");
    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_session_set_adapters(session, composition), "attaching it");
    FILE *file = open_file(path);
    for (int shown = 0; shown < SHOWN && read_question(file, &own); shown++) {
        graft_batch *batch = encode(tokenizer, &own);
        float scores[MOST_CHOICES];
        check(graft_session_classify(session, batch, scores, own.count, NULL), own.line);
        int32_t best = 0;
        for (int32_t i = 1; i < own.count; i++)
            best = scores[i] > scores[best] ? i : best;
        printf("%s\n  %s: %s\n", own.line, own.is_right[best] ? "right" : "wrong", own.choices[best]);
        graft_batch_release(batch);
    }
    fclose(file);
    graft_session_release(session);
    graft_composition_release(composition);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 5 && argument_count != 6)
        stop("usage", "choose MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    graft_dataset *train = read_questions(tokenizer, arguments[2]);
    graft_dataset *test = read_questions(tokenizer, arguments[3]);

    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "making the adapter");
    check(graft_adapter_set_head(adapter, "multiple_choice", NULL, 0, "{\"dense_layer\": true}"),
          "choosing the task");
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.learning_rate = 2e-3f;
    options.rows_per_batch = 32; /* whole questions, as many as fit */
    if (argument_count == 6)
        options.epoch_count = atoi(arguments[5]);
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    print_accuracy(trainer, test, "before");
    check(graft_trainer_fit(trainer, train, NULL, NULL, NULL, NULL, NULL), "training");
    print_accuracy(trainer, test, "after ");
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[4]), arguments[4]);
    answer(model, tokenizer, adapter, arguments[3]);

    graft_dataset_release(train);
    graft_dataset_release(test);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
