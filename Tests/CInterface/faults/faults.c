/* Every way to misuse the interface that a program can: a code and a message, never a trap.
 *
 *     faults MODEL SCRATCH_FOLDER
 */
#include "faults.h"
#include <pthread.h>

static int held, failed;

void claim(int holds, const char *sentence, const char *found) {
    if (holds) {
        held++;
        return;
    }
    failed++;
    printf("FAILED  %s: found %s\n", sentence, found);
}

void expect(graft_status expected, graft_status found, const char *sentence) {
    const char *message = graft_last_error_message();
    char text[600];
    snprintf(text, sizeof text, "%s: %s", graft_status_name(found), message);
    claim(found == expected && (found == GRAFT_OK || strlen(message) > 10), sentence, text);
}

void invalid(graft_status found, const char *sentence) {
    expect(GRAFT_ERROR_INVALID_ARGUMENT, found, sentence);
}

void expect_refused(graft_status found, const char *sentence) {
    claim(found != GRAFT_OK && found != GRAFT_ERROR_INTERNAL && strlen(graft_last_error_message()) > 10,
          sentence, graft_status_name(found));
}

void expect_number(int64_t expected, int64_t found, const char *sentence) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)found);
    claim(found == expected, sentence, text);
}

void need(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    printf("FAILED  %s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

/* Objects that are as they should be. */
graft_model *model;
graft_tokenizer *tokenizer;
graft_adapter *adapter;
graft_composition *composition;
graft_batch *batch;
graft_dataset *dataset;
graft_session *session;

const char *const texts[2] = {"one", "two words"};
const int32_t numbers[2] = {0, 1};
const char *const label_names[2] = {"first", "second"};
const char *const invalid_texts[INVALID_TEXT_COUNT] = {"\xff\xfe", "\xc0\x80", "ab\xe2\x82", "\xed\xa0\x80",
                                                       "\xf4\x90\x80\x80"};

static char path[1000];

const char *in(const char *folder, const char *name) {
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void write_file(const char *name, const char *content) {
    FILE *file = fopen(name, "w");
    if (!file || fputs(content, file) < 0 || fclose(file) != 0)
        exit(1);
}

graft_adapter *make_adapter(int with_head) {
    graft_adapter *made = NULL;
    need(graft_adapter_create(model, "lora", NULL, 1, &made), "making an adapter");
    if (with_head)
        need(graft_adapter_set_head(made, "sequence_classification", label_names, 2, NULL), "adding a head");
    return made;
}

graft_batch *tokens_batch(int32_t token, int32_t length, int32_t label) {
    int32_t tokens[600];
    for (int i = 0; i < 600; i++)
        tokens[i] = token;
    graft_batch *made = NULL;
    need(graft_batch_create(tokens, NULL, &length, 1, &made), "making a batch");
    need(graft_batch_set_integers(made, "labels", &label, 1, 1), "labelling it");
    return made;
}

static void test_status(void) {
    claim(strcmp(graft_status_name(GRAFT_ERROR_IO), "GRAFT_ERROR_IO") == 0, "a status has its name",
          graft_status_name(GRAFT_ERROR_IO));
    claim(strcmp(graft_status_name(99), "unknown") == 0, "an unknown status is unknown",
          graft_status_name(99));
    claim(strcmp(graft_status_name(-1), "unknown") == 0, "a negative status is unknown",
          graft_status_name(-1));
    claim(graft_architecture_name(graft_architecture_count()) == NULL, "past the last architecture is NULL",
          "one");
    claim(graft_architecture_name(-1) == NULL, "before the first architecture is NULL", "one");
    claim(graft_adapter_method_name(graft_adapter_method_count()) == NULL, "past the last method is NULL",
          "one");
    claim(graft_adapter_method_name(INT32_MIN) == NULL, "before the first method is NULL", "one");
}

static void *message_of_this_thread(void *unused) {
    (void)unused;
    static char message[200];
    snprintf(message, sizeof message, "%s", graft_last_error_message());
    return message;
}

static void test_messages_of_threads(void) {
    graft_model *out = NULL;
    expect(GRAFT_ERROR_NOT_FOUND, graft_model_load("/no/such/folder", NULL, &out),
           "a failure before the thread");
    pthread_t thread;
    void *message = NULL;
    if (pthread_create(&thread, NULL, message_of_this_thread, NULL) != 0)
        exit(1);
    pthread_join(thread, &message);
    claim(strcmp(message, "") == 0, "another thread has not failed", message);
    claim(strstr(graft_last_error_message(), "/no/such/folder") != NULL, "the message names the path",
          graft_last_error_message());
}

int main(int argument_count, char **arguments) {
    if (argument_count != 3)
        return 2;
    const char *folder = arguments[1], *scratch = arguments[2];
    claim(graft_last_error_message()[0] == '\0', "no message before the first failure",
          graft_last_error_message());
    need(graft_model_load(folder, NULL, &model), "loading the model");
    need(graft_tokenizer_load(folder, &tokenizer), "loading the tokenizer");
    adapter = make_adapter(1);
    need(graft_composition_create(adapter, 1, &composition), "making a composition");
    need(graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &batch), "encoding a batch");
    need(graft_batch_set_integers(batch, "labels", numbers, 2, 1), "labelling it");
    need(graft_dataset_create(&dataset), "making a dataset");
    need(graft_dataset_append(dataset, batch), "filling it");
    need(graft_session_create(model, NULL, &session), "making a session");

    test_status();
    test_model(folder, scratch);
    test_tokenizer(scratch);
    test_adapter_settings();
    test_adapter(scratch);
    test_head();
    test_composition();
    test_merging(folder, scratch);
    test_files(folder, scratch);
    test_handles(folder);
    test_texts();
    test_predictions();
    test_batch();
    test_windows();
    test_trainer(scratch);
    test_session();
    test_messages_of_threads();

    graft_model_release(model); /* first: everything below still holds it */
    float values[4];
    expect(GRAFT_OK, graft_session_classify(session, batch, values, 4, NULL),
           "a session outlives its model's handle");
    graft_tokenizer_release(tokenizer);
    graft_adapter_release(adapter);
    graft_composition_release(composition);
    graft_dataset_release(dataset);
    graft_session_release(session);
    graft_batch_release(batch);
    printf("%d held\n", held);
    return failed != 0;
}
