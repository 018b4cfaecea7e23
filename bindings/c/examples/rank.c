/* Recommends: learns which candidates come first for a query, prints how well others are ordered
 * before and after, and then the candidates of the last query in their order.
 *
 *     rank MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS [LOSS]]
 *
 * A line of the files is: query TAB candidate TAB relevance, any number. Lines of a query stand
 * together. ADAPTER is the folder to save to. LOSS is list_net, which learns from all candidates
 * of a query at once, or rank_net, from every two of them: Bayesian personalised ranking (BPR).
 */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 1 << 13, MOST_CANDIDATES = 64 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

/* A query with its candidates: a row has both. */
typedef struct group {
    int32_t count;
    const char *queries[MOST_CANDIDATES], *candidates[MOST_CANDIDATES];
    int32_t places[MOST_CANDIDATES];
    float relevance[MOST_CANDIDATES];
    char lines[MOST_CANDIDATES][LINE_SIZE];
} group;

/* Adds a line of a file. */
static void add(group *own, const char *line) {
    if (own->count == MOST_CANDIDATES)
        stop("expected fewer candidates of a query", line);
    char *copy = strcpy(own->lines[own->count], line);
    char *first = strchr(copy, '\t'), *last = strrchr(copy, '\t');
    if (!first || first == last)
        stop("expected query TAB candidate TAB relevance", line);
    *first = *last = '\0';
    own->queries[own->count] = copy;
    own->candidates[own->count] = first + 1;
    own->relevance[own->count] = strtof(last + 1, NULL);
    own->places[own->count] = own->count;
    own->count++;
}

static graft_batch *encode(const group *own, const graft_tokenizer *tokenizer) {
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = 128;
    graft_batch *batch = NULL;
    check(graft_batch_encode(tokenizer, own->queries, own->candidates, own->count, &options, &batch),
          own->queries[0]);
    return batch;
}

/* Adds a query, if there is one, to the rows to learn or to measure. */
static void append(graft_dataset *dataset, const graft_tokenizer *tokenizer, const group *own) {
    if (own->count == 0)
        return;
    graft_batch *batch = encode(own, tokenizer);
    check(graft_batch_set_integers(batch, "group_places", own->places, own->count, 1), own->queries[0]);
    check(graft_batch_set_floats(batch, "targets", own->relevance, own->count, 1), own->queries[0]);
    check(graft_dataset_append(dataset, batch), own->queries[0]);
    graft_batch_release(batch);
}

/* Encodes a file; `own` is left with the last query. */
static graft_dataset *read_groups(const graft_tokenizer *tokenizer, const char *path, group *own) {
    FILE *file = fopen(path, "rb");
    if (!file)
        stop("cannot read", path);
    graft_dataset *dataset = NULL;
    check(graft_dataset_create(&dataset), path);
    char line[LINE_SIZE];
    own->count = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        size_t length = strcspn(line, "\t");
        if (own->count > 0 &&
            (strlen(own->queries[0]) != length || memcmp(own->queries[0], line, length) != 0)) {
            append(dataset, tokenizer, own);
            own->count = 0;
        }
        add(own, line);
    }
    append(dataset, tokenizer, own);
    fclose(file);
    return dataset;
}

static void print_order(graft_trainer *trainer, const graft_dataset *test, const char *when) {
    graft_evaluation *evaluation = NULL;
    check(graft_trainer_evaluate(trainer, test, &evaluation), "evaluating");
    printf("%s  nDCG@10 %.4f  MRR %.4f\n", when, graft_evaluation_value(evaluation, "ndcg_at_k"),
           graft_evaluation_value(evaluation, "mrr"));
    graft_evaluation_release(evaluation);
}

/* Prints a query, and its candidates, those with the highest scores first. */
static void recommend(const graft_model *model, const graft_tokenizer *tokenizer,
                      const graft_adapter *adapter, const group *own) {
    graft_composition *composition = NULL;
    graft_session *session = NULL;
    check(graft_composition_create(adapter, 1, &composition), "composing the adapter");
    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_session_set_adapters(session, composition), "attaching the adapter");
    graft_batch *batch = encode(own, tokenizer);
    float scores[MOST_CANDIDATES];
    check(graft_session_classify(session, batch, scores, own->count, NULL), "scoring");
    printf("%s\n", own->queries[0]);
    int is_printed[MOST_CANDIDATES] = {0};
    for (int32_t rank = 0; rank < own->count; rank++) {
        int32_t best = -1;
        for (int32_t row = 0; row < own->count; row++)
            if (!is_printed[row] && (best < 0 || scores[row] > scores[best]))
                best = row;
        is_printed[best] = 1;
        printf("%d  %s\n", rank + 1, own->candidates[best]);
    }
    graft_batch_release(batch);
    graft_session_release(session);
    graft_composition_release(composition);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 5 || argument_count > 7)
        stop("usage", "rank MODEL TRAIN.tsv TEST.tsv ADAPTER [EPOCHS [LOSS]]");
    static group last;
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    graft_dataset *train = read_groups(tokenizer, arguments[2], &last);
    graft_dataset *test = read_groups(tokenizer, arguments[3], &last);

    graft_adapter *adapter = NULL;
    const char *score = "score";
    check(graft_adapter_create(model, "lora", NULL, 0, &adapter), "creating the adapter");
    check(graft_adapter_set_head(adapter, "regression", &score, 1, "{\"dense_layer\": true}"), "its task");
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.loss = argument_count == 7 ? arguments[6] : "list_net";
    if (strcmp(options.loss, "rank_net") == 0)
        options.loss_settings = "{\"reduction_log\": \"natural\"}"; /* as BPR has it */
    options.learning_rate = 2e-3f;
    options.rows_per_batch = 32;
    options.epoch_count = argument_count > 5 ? atoi(arguments[5]) : 3;
    graft_trainer *trainer = NULL;
    check(graft_trainer_create(model, adapter, &options, &trainer), "creating the trainer");

    print_order(trainer, test, "before");
    check(graft_trainer_fit(trainer, train, NULL, NULL, NULL, NULL, NULL), "training");
    print_order(trainer, test, "after ");
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, arguments[4]), arguments[4]);
    recommend(model, tokenizer, adapter, &last);

    graft_adapter_release(adapter);
    graft_dataset_release(train);
    graft_dataset_release(test);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
