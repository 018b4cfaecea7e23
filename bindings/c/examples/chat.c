/* Talks with a language model, in the style of one adapter or another, exchanged amid the talk.
 *
 *     chat MODEL ADAPTER ...
 *
 * Each line that is read is a question, which the model's chat template puts behind what was said
 * so far. ADAPTER is a folder, and its last part is the name of a style: `/adapter STYLE` has the
 * next answers come in another, `/adapter none` from the model alone, and `/quit` ends.
 */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 };

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(EXIT_FAILURE);
}

/* Text that grows. */
typedef struct text {
    char *bytes;
    size_t size;
} text;

static void add(text *own, const char *bytes) {
    size_t size = strlen(bytes);
    own->bytes = realloc(own->bytes, own->size + size + 1);
    if (!own->bytes)
        exit(EXIT_FAILURE);
    memcpy(own->bytes + own->size, bytes, size + 1);
    own->size += size;
}

/* A message of the talk, as JSON: what is typed and what is written may have quotes in it. */
static void add_message(text *talk, const char *role, const char *content) {
    add(talk, talk->size > 1 ? ", {\"role\": \"" : "{\"role\": \"");
    add(talk, role);
    add(talk, "\", \"content\": \"");
    for (; *content; content++) {
        unsigned char byte = (unsigned char)*content;
        char escaped[8] = {(char)byte};
        if (byte < 0x20 || byte == '"' || byte == '\\')
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        add(talk, escaped);
    }
    add(talk, "\"}");
}

/* Prints what a token adds, and keeps it; the row ends where standard output is closed. */
static int32_t print_text(void *user_data, const graft_token *token) {
    add(user_data, token->text);
    fputs(token->text, stdout);
    return fflush(stdout) == EOF;
}

/* Answers what was said last, and adds the answer to the talk. */
static void answer(graft_session *session, const graft_tokenizer *tokenizer, const graft_composition *adapter,
                   text *talk) {
    text messages = {0}, said = {0};
    add(&messages, talk->bytes);
    add(&messages, "]");
    graft_encoding *prompt = NULL;
    graft_batch *batch = NULL;
    check(graft_tokenizer_encode_messages(tokenizer, messages.bytes, "{\"add_generation_prompt\": true}",
                                          &prompt),
          "writing the talk");
    int32_t count = (int32_t)graft_encoding_token_count(prompt);
    check(graft_batch_create(graft_encoding_ids(prompt), NULL, &count, 1, &batch), "asking");
    /* The model is never changed: another adapter is another argument. */
    check(graft_batch_set_adapters(batch, &adapter, 1), "choosing a style");
    graft_generate_options options;
    graft_generate_options_init(&options, sizeof options);
    options.maximum_tokens = 80;
    options.repetition_penalty = 1.1f;
    add(&said, "");
    check(graft_session_generate(session, tokenizer, batch, &options, print_text, &said), "answering");
    putchar('\n');
    add_message(talk, "assistant", said.bytes);
    graft_batch_release(batch);
    graft_encoding_release(prompt);
    free(messages.bytes);
    free(said.bytes);
}

/* The number of a style; that behind the last is none; -1: there is no such style. */
static int find(const char *asked, const char **names, int count) {
    for (int i = 0; i <= count; i++)
        if (strcmp(asked, names[i]) == 0)
            return i;
    return -1;
}

int main(int argument_count, char **arguments) {
    if (argument_count < 3) {
        fprintf(stderr, "usage: %s MODEL ADAPTER ...\n", arguments[0]);
        return EXIT_FAILURE;
    }
    const int count = argument_count - 2;
    graft_model_options precise;
    graft_model_options_init(&precise, sizeof precise);
    precise.precision = GRAFT_PRECISION_BFLOAT16;
    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_session *session = NULL;
    check(graft_model_load(arguments[1], &precise, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_session_create(model, NULL, &session), "making a session");
    /* Behind the last adapter is none. */
    graft_composition **adapters = calloc((size_t)count + 1, sizeof *adapters);
    const char **names = calloc((size_t)count + 1, sizeof *names);
    if (!adapters || !names)
        return EXIT_FAILURE;
    text known = {0}, talk = {0};
    for (int i = 0; i < count; i++) {
        graft_adapter *adapter = NULL;
        check(graft_adapter_load(model, arguments[2 + i], &adapter), "loading an adapter");
        check(graft_composition_create(adapter, 1, &adapters[i]), "composing an adapter");
        graft_adapter_release(adapter); /* the composition has it */
        const char *slash = strrchr(arguments[2 + i], '/');
        names[i] = slash ? slash + 1 : arguments[2 + i];
        add(&known, names[i]);
        add(&known, ", ");
    }
    names[count] = "none";
    add(&known, names[count]);
    add(&talk, "[");

    printf("Ask something; /adapter NAME answers in another style (%s), /quit ends.\n", known.bytes);
    char line[LINE_SIZE];
    for (int style = 0;;) {
        printf("%s> ", names[style]);
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin)) {
            putchar('\n');
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        /* Where nobody types, what is read is shown as if somebody had. */
        if (!isatty(STDIN_FILENO))
            printf("%s\n", line);
        if (strcmp(line, "/quit") == 0)
            break;
        if (strncmp(line, "/adapter ", 9) == 0) {
            int asked = find(line + 9, names, count);
            if (asked < 0) {
                printf("expected one of %s, found '%s'\n", known.bytes, line + 9);
                continue;
            }
            /* What was said in one style would be taken up in the next. */
            style = asked;
            talk.size = 1;
            talk.bytes[1] = '\0';
        } else if (line[strspn(line, " \t")] != '\0') {
            add_message(&talk, "user", line);
            answer(session, tokenizer, adapters[style], &talk);
        }
    }

    for (int i = 0; i < count; i++)
        graft_composition_release(adapters[i]);
    free(adapters);
    free(names);
    free(known.bytes);
    free(talk.bytes);
    graft_session_release(session);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
