/* Watches what people think: a stream of texts is classified in batches with a trained adapter.
 *
 *     monitor MODEL ADAPTER [BATCH] <TEXTS
 *
 * A line is a text. Behind each batch of BATCH texts, 1,000 by default, stands the part of it that
 * each label has, and how many texts there were in a second so far. */
#define _POSIX_C_SOURCE 200809L /* getline, clock_gettime */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 1 << 20 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status != GRAFT_OK)
        stop(what, graft_last_error_message());
}

static void *allocate(int64_t count, size_t size) {
    void *memory = calloc((size_t)count, size);
    if (!memory)
        stop("out of memory", "allocating");
    return memory;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The next lines of standard input, at most `most`; each is its reader's. */
static int64_t read_lines(char **texts, int64_t most) {
    int64_t count = 0;
    for (size_t size = 0; count < most; count++) {
        texts[count] = NULL;
        size = 0;
        if (getline(&texts[count], &size, stdin) < 0) {
            free(texts[count]);
            break;
        }
        texts[count][strcspn(texts[count], "\r\n")] = '\0';
    }
    return count;
}

int main(int argument_count, char **arguments) {
    int64_t most = argument_count == 4 ? atol(arguments[3]) : 1000;
    if ((argument_count != 3 && argument_count != 4) || most < 1 || most > MOST)
        stop("usage", "monitor MODEL ADAPTER [BATCH] <TEXTS");
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_adapter *adapter = NULL;
    graft_composition *composition = NULL;
    graft_session *session = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_adapter_load(model, arguments[2], &adapter), "loading the adapter");
    check(graft_composition_create(adapter, 1, &composition), "choosing the adapter");
    check(graft_session_create(model, NULL, &session), "making a session");
    check(graft_session_set_adapters(session, composition), "attaching it");

    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = graft_adapter_maximum_length(adapter); /* as in training */
    int32_t label_count = graft_adapter_label_count(adapter);
    char **texts = allocate(most, sizeof *texts);
    int32_t *labels = allocate(most, sizeof *labels);
    int64_t *found = allocate(label_count, sizeof *found), total = 0;
    double start = seconds();
    for (int64_t count; (count = read_lines(texts, most)) > 0;) {
        graft_batch *batch = NULL;
        check(graft_batch_encode(tokenizer, (const char *const *)texts, NULL, count, &options, &batch),
              "reading texts");
        check(graft_session_predict(session, batch, 1, labels, NULL, count), "classifying");
        graft_batch_release(batch);
        memset(found, 0, (size_t)label_count * sizeof *found);
        for (int64_t i = 0; i < count; i++) {
            found[labels[i]]++;
            free(texts[i]);
        }
        printf("%lld texts", (long long)(total += count));
        for (int32_t i = 0; i < label_count; i++)
            printf("  %s %.1f %%", graft_adapter_label(adapter, i), 100.0 * (double)found[i] / (double)count);
        printf("  %.0f texts/s\n", (double)total / (seconds() - start));
        fflush(stdout);
    }
    free(found);
    free(labels);
    free(texts);
    graft_session_release(session);
    graft_composition_release(composition);
    graft_adapter_release(adapter);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
