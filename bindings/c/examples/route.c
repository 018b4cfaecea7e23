/* Routes messages to customer service: learns intents from a few examples of each, answers the
 * messages that it is sure of, and leaves all others to a person.
 *
 *     route MODEL TRAIN.tsv VALIDATION.tsv TEST.tsv ADAPTER [EPOCHS [ACCURACY]]
 *
 * A line of a file is: text TAB intent. An intent that TRAIN does not have is none of these: any
 * answer to it is wrong. The probability from which on a message is answered is the smallest with
 * which ACCURACY of the answers, 0.9 by default, are right on VALIDATION. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MESSAGES = 1 << 14, MOST_INTENTS = 256, MAXIMUM_LENGTH = 128, NONE = -1 };

static const char *intents[MOST_INTENTS];
static int32_t intent_count;

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

typedef struct messages {
    const char *texts[MOST_MESSAGES];
    int32_t expected[MOST_MESSAGES], found[MOST_MESSAGES]; /* intents */
    float probabilities[MOST_MESSAGES];                    /* of what was found */
    int64_t count;
    graft_batch *batch;
} messages;

/* Number of an intent; a new one is added, or is NONE of these. */
static int32_t intent_number(const char *name, int may_add) {
    for (int32_t i = 0; i < intent_count; i++)
        if (strcmp(intents[i], name) == 0)
            return i;
    if (!may_add)
        return NONE;
    if (intent_count == MOST_INTENTS)
        stop("more intents than this example takes", name);
    intents[intent_count] = name;
    return intent_count++;
}

static messages *read_messages(const graft_tokenizer *tokenizer, const char *path, int may_add) {
    FILE *file = fopen(path, "rb");
    messages *own = calloc(1, sizeof *own);
    if (!file || !own)
        stop("cannot read", path);
    static char line[1 << 16];
    while (own->count < MOST_MESSAGES && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *copy = strdup(line), *tab = copy ? strrchr(copy, '\t') : NULL;
        if (!tab)
            stop("expected text TAB intent", line);
        *tab = '\0';
        own->texts[own->count] = copy;
        own->expected[own->count++] = intent_number(tab + 1, may_add);
    }
    fclose(file);
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = MAXIMUM_LENGTH;
    check(graft_batch_encode(tokenizer, own->texts, NULL, own->count, &options, &own->batch), path);
    return own;
}

/* How many messages are answered from a probability on, and how many of them rightly. */
static int64_t answered(const messages *own, double threshold, int64_t *right) {
    int64_t count = 0;
    *right = 0;
    for (int64_t i = 0; i < own->count; i++) {
        int is_answered = (double)own->probabilities[i] >= threshold;
        count += is_answered;
        *right += is_answered && own->found[i] == own->expected[i];
    }
    return count;
}

/* The smallest probability from which on so many of the answers are right. */
static double choose_threshold(const messages *own, double accuracy) {
    double best = 2;
    for (int64_t i = 0, right; i < own->count; i++) {
        double threshold = (double)own->probabilities[i];
        int64_t count = answered(own, threshold, &right);
        if (threshold < best && (double)right >= accuracy * (double)count)
            best = threshold;
    }
    if (best > 1)
        stop("choosing a threshold", "with none are so many of the answers right");
    return best;
}

static void print_answers(const messages *own, double threshold, const char *when) {
    int64_t right, count = answered(own, threshold, &right);
    printf("%s  coverage %.4f  accuracy %.4f\n", when, (double)count / (double)own->count,
           (double)right / (double)(count ? count : 1));
}

int main(int argument_count, char **arguments) {
    if (argument_count < 6 || argument_count > 8)
        stop("usage", "route MODEL TRAIN.tsv VALIDATION.tsv TEST.tsv ADAPTER [EPOCHS [ACCURACY]]");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    graft_composition *composition = NULL;
    graft_session *session = NULL;
    graft_dataset *dataset = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    messages *parts[3]; /* to train, for validation, to test */
    for (int i = 0; i < 3; i++)
        parts[i] = read_messages(tokenizer, arguments[2 + i], i == 0);
    messages *train = parts[0], *test = parts[2];
    printf("%lld messages of %d intents\n", (long long)train->count, intent_count);
    check(graft_batch_set_integers(train->batch, "labels", train->expected, train->count, 1),
          "labelling rows");
    check(graft_dataset_create(&dataset), "making a data set");
    check(graft_dataset_append(dataset, train->batch), "filling it");

    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "making the adapter");
    check(graft_adapter_set_head(adapter, "sequence_classification", intents, intent_count,
                                 "{\"pooling\": \"mean\"}"),
          "choosing the task");
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.learning_rate = 2e-3f;
    options.epoch_count = argument_count > 6 ? atoi(arguments[6]) : 12; /* of few messages */
    check(graft_trainer_create(model, adapter, &options, &trainer), "making the trainer");
    check(graft_trainer_fit(trainer, dataset, NULL, NULL, NULL, NULL, NULL), "training");
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[5]), "saving the adapter");

    check(graft_composition_create(adapter, 1, &composition), "choosing the adapter");
    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_session_set_adapters(session, composition), "attaching it");
    for (int i = 1; i < 3; i++)
        check(graft_session_predict(session, parts[i]->batch, 1, parts[i]->found, parts[i]->probabilities,
                                    parts[i]->count),
              "running the model");
    double threshold = choose_threshold(parts[1], argument_count > 7 ? strtod(arguments[7], NULL) : 0.9);
    printf("threshold %.4f\n", threshold);
    print_answers(test, 0, "all answered");
    print_answers(test, threshold, "sure answers");
    int64_t none = 0, left = 0;
    for (int64_t i = 0; i < test->count; i++) {
        none += test->expected[i] == NONE;
        left += test->expected[i] == NONE && (double)test->probabilities[i] < threshold;
    }
    printf("%lld of %lld with none of the intents are left to a person\n", (long long)left, (long long)none);
    for (int64_t i = 0; i < test->count && i < 5; i++)
        printf("%-16s %.2f  %s\n",
               (double)test->probabilities[i] < threshold ? "a person" : intents[test->found[i]],
               test->probabilities[i], test->texts[i]);

    graft_session_release(session);
    graft_composition_release(composition);
    graft_dataset_release(dataset);
    for (int i = 0; i < 3; i++)
        graft_batch_release(parts[i]->batch);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
