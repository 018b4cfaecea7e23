/* Headers of a safetensors file that are as long as the format allows are read, whatever fills
 * them, in bounded time and memory.
 *
 *     headers GOLDENS SCRATCH
 *
 * The file is bert-tiny's with more in its header. Each is loaded in a child, so that its memory
 * can be told. */
#define _DEFAULT_SOURCE
#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 100000000, MOST_SECONDS = 10, MOST_MEGABYTES = 1000 };

#define SPACES "          "
#define MANY "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"
#define EMPTY(shape) "{\"dtype\":\"F32\",\"shape\":[" shape "],\"data_offsets\":[0,0]}"

/* What fills a header: `item`, again and again, with a number of its own where it has a %, after
 * `place`. */
static const struct {
    const char *sentence, *place, *item;
    long length;
    const char *refusal; /* NULL: the model loads as if nothing were there */
} cases[] = {
    {"a header of 100,000,000 bytes with spaces inside", "{", SPACES, LONGEST, NULL},
    {"one of tensors without elements", "{", "\"%lx\":" EMPTY("0") ",", LONGEST, NULL},
    {"one of tensors of 64 sizes", "{", "\"%lx\":" EMPTY(MANY "," MANY) ",", LONGEST, NULL},
    {"one of metadata", "\"__metadata__\":{", "\"%lx\":\"\",", LONGEST, NULL},
    {"one of a single text", "\"format\":\"pt", "a long text ", LONGEST, NULL},
    {"one of equal names", "{", "\"a\":" EMPTY("0") ",", LONGEST, "the tensor \"a\" is there twice"},
    {"a header of 100,000,001 bytes", "{", SPACES, LONGEST + 1, "at most 100000000 is allowed"},
};

static char folder[1000], path[1100];
static char *header, *data; /* of the real file */
static size_t data_size;
static uint64_t checksum; /* of its model */

static void need(int holds, const char *what) {
    if (holds)
        return;
    printf("FAILED  %s: %s\n", what, graft_last_error_message());
    exit(1);
}

static void read_file(const char *source) {
    uint64_t length = 0;
    FILE *file = fopen(source, "rb");
    need(file && fseek(file, 0, SEEK_END) == 0, source);
    size_t size = (size_t)ftell(file);
    rewind(file);
    need(fread(&length, sizeof length, 1, file) == 1 && length < size, source);
    data_size = size - sizeof length - length;
    header = calloc(1, length + 1);
    data = malloc(data_size);
    need(header && data && fread(header, length, 1, file) == 1 && fread(data, data_size, 1, file) == 1,
         source);
    fclose(file);
}

/* Writes the file with a header of `length` bytes. */
static void write_file(const char *place, const char *item, long length) {
    FILE *file = fopen(path, "wb");
    const char *found = strstr(header, place);
    need(file && found, path);
    const char *rest = found + strlen(place);
    const uint64_t whole = (uint64_t)length;
    long left = length - (long)strlen(header);
    fwrite(&whole, sizeof whole, 1, file);
    fwrite(header, (size_t)(rest - header), 1, file);
    for (unsigned long number = 0;; number++) {
        char text[400];
        const int count = snprintf(text, sizeof text, item, number);
        if (count > left)
            break;
        fwrite(text, (size_t)count, 1, file);
        left -= count;
    }
    fwrite(rest, strlen(rest), 1, file);
    while (left-- > 0)
        fputc(' ', file);
    fwrite(data, data_size, 1, file);
    need(fclose(file) == 0, path);
}

/* Loads the folder in a child: whether it ended as expected, with its seconds and megabytes. */
static int loads(const char *refusal, double *seconds, long *megabytes) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        graft_model *model = NULL;
        graft_status status = graft_model_load(folder, NULL, &model);
        const char *message = graft_last_error_message();
        int is_right = refusal ? status == GRAFT_ERROR_CORRUPT_FILE && strstr(message, refusal) != NULL
                               : status == GRAFT_OK && graft_model_checksum(model) == checksum;
        if (!is_right)
            printf("        %s: %s\n", graft_status_name(status), status ? message : "another model");
        fflush(stdout);
        _exit(!is_right);
    }
    int status = 1;
    struct rusage usage;
    need(child > 0 && wait4(child, &status, 0, &usage) == child, "starting a child");
    *seconds = (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec;
    *megabytes = usage.ru_maxrss / 1024;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argument_count, char **arguments) {
    char source[1000];
    int held = 0, failed = 0;
    if (argument_count != 3)
        return 2;
    snprintf(source, sizeof source, "%s/bert-tiny/sequence-classification", arguments[1]);
    graft_model *model = NULL;
    need(graft_model_load(source, NULL, &model) == GRAFT_OK, "loading bert-tiny");
    checksum = graft_model_checksum(model);
    graft_model_release(model);

    snprintf(folder, sizeof folder, "%s", arguments[2]);
    char settings[1100], link[1100];
    char *whole = realpath(source, NULL);
    need(whole != NULL, source);
    snprintf(settings, sizeof settings, "%s/config.json", whole);
    snprintf(link, sizeof link, "%s/config.json", folder);
    need(symlink(settings, link) == 0, link);
    free(whole);
    snprintf(path, sizeof path, "%s/model.safetensors", source);
    read_file(path);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double seconds = 0;
        long megabytes = 0;
        write_file(cases[i].place, cases[i].item, cases[i].length);
        const int is_right = loads(cases[i].refusal, &seconds, &megabytes);
        const int holds = is_right && seconds <= MOST_SECONDS && megabytes <= MOST_MEGABYTES;
        printf("%s%s: %s, %.1f s of at most %d, %ld MB of at most %d\n", holds ? "" : "FAILED  ",
               cases[i].sentence, is_right ? "as expected" : "not as expected", seconds, MOST_SECONDS,
               megabytes, MOST_MEGABYTES);
        held += holds;
        failed += !holds;
    }
    remove(path);
    free(header);
    free(data);
    printf("%d held\n", held);
    return failed != 0;
}
