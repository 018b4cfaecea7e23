/* Embeds the lines of standard input and prints, for each, the line before it that is nearest in
 * meaning.
 *
 *    embed MODEL < lines.txt */
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LIMIT = 1000, LINE_SIZE = 4096 };

/* Ends the program, saying what failed and why, unless all is well. */
static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(EXIT_FAILURE);
}

/* Reads at most LINE_LIMIT lines that are not empty; the caller frees each. */
static int64_t read_lines(char *lines[LINE_LIMIT]) {
    static char buffer[LINE_SIZE];
    int64_t count = 0;
    while (count < LINE_LIMIT && fgets(buffer, sizeof buffer, stdin)) {
        buffer[strcspn(buffer, "\r\n")] = '\0';
        if (buffer[0] == '\0')
            continue;
        char *line = malloc(strlen(buffer) + 1);
        if (!line)
            break;
        lines[count++] = strcpy(line, buffer);
    }
    return count;
}

/* Cosine of the angle between two vectors of length 1. */
static float similarity(const float *a, const float *b, int32_t size) {
    float sum = 0;
    for (int32_t i = 0; i < size; i++)
        sum += a[i] * b[i];
    return sum;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 2) {
        fprintf(stderr, "usage: %s MODEL < lines.txt\n", arguments[0]);
        return EXIT_FAILURE;
    }
    static char *lines[LINE_LIMIT];
    int64_t count = read_lines(lines);

    graft_model *model = NULL;
    graft_tokenizer *tokenizer = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    check(graft_model_load(arguments[1], NULL, &model), "loading the model");
    check(graft_tokenizer_load(arguments[1], &tokenizer), "loading the tokenizer");
    check(graft_session_create(model, NULL, &session), "making a session");

    check(graft_batch_encode(tokenizer, (const char *const *)lines, NULL, count, NULL, &batch), "encoding");

    int32_t size = graft_model_embedding_size(model);
    int64_t capacity = count * size;
    float *vectors = malloc((size_t)(capacity > 0 ? capacity : 1) * sizeof *vectors);
    if (!vectors) {
        fprintf(stderr, "not enough memory for %lld lines\n", (long long)count);
        return EXIT_FAILURE;
    }
    check(graft_session_embed(session, batch, GRAFT_POOLING_DEFAULT, 1, vectors, capacity), "embedding");

    for (int64_t i = 1; i < count; i++) {
        int64_t nearest = 0;
        for (int64_t j = 1; j < i; j++) {
            if (similarity(vectors + i * size, vectors + j * size, size) >
                similarity(vectors + i * size, vectors + nearest * size, size))
                nearest = j;
        }
        printf("%.3f  %s  ~  %s\n", similarity(vectors + i * size, vectors + nearest * size, size), lines[i],
               lines[nearest]);
    }

    for (int64_t i = 0; i < count; i++)
        free(lines[i]);
    free(vectors);
    graft_batch_release(batch);
    graft_session_release(session);
    graft_tokenizer_release(tokenizer);
    graft_model_release(model);
    return EXIT_SUCCESS;
}
