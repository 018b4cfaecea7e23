/* Encoding texts one by one, with their offsets: tokenize FOLDER TEXTS REPEATS.
 *
 * Each text in the file ends with a NUL. Prints the median milliseconds of encoding all of them.
 */
#define _POSIX_C_SOURCE 200809L
#include "measure.h"
#include <string.h>

enum { MOST_REPEATS = 100, WHOLE = 1 << 20 };

static char *read_texts(const char *path, long *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0 || (*size = ftell(file)) <= 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    char *texts = malloc((size_t)*size);
    rewind(file);
    if (!texts || fread(texts, (size_t)*size, 1, file) != 1 || texts[*size - 1] != '\0') {
        fprintf(stderr, "%s: expected texts that end with NUL\n", path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    return texts;
}

static void encode_all(const graft_tokenizer *tokenizer, const char *texts, long size) {
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = WHOLE;
    for (const char *text = texts; text < texts + size; text += strlen(text) + 1) {
        graft_encoding *encoding = NULL;
        check(graft_tokenizer_encode(tokenizer, text, NULL, &options, &encoding));
        if (!graft_encoding_character_offsets(encoding))
            exit(EXIT_FAILURE);
        graft_encoding_release(encoding);
    }
}

int main(int argument_count, char **arguments) {
    int repeats = argument_count == 4 ? atoi(arguments[3]) : 0;
    if (repeats < 1 || repeats > MOST_REPEATS) {
        fprintf(stderr, "usage: tokenize FOLDER TEXTS REPEATS\n");
        return EXIT_FAILURE;
    }
    long size = 0;
    char *texts = read_texts(arguments[2], &size);
    graft_tokenizer *tokenizer = NULL;
    check(graft_tokenizer_load(arguments[1], &tokenizer));
    encode_all(tokenizer, texts, size);
    double times[MOST_REPEATS];
    for (int i = 0; i < repeats; i++) {
        double start = milliseconds();
        encode_all(tokenizer, texts, size);
        times[i] = milliseconds() - start;
    }
    qsort(times, (size_t)repeats, sizeof *times, ascending);
    printf("%.3f\n", times[repeats / 2]);
    graft_tokenizer_release(tokenizer);
    free(texts);
    return EXIT_SUCCESS;
}
