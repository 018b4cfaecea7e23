/* Malformed files and input, each with its status and what its message has to say. Nothing may
 * trap.
 *
 *    malformed GOLDENS SCRATCH */
#define _XOPEN_SOURCE 700
#include "malformed.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

const char *goldens, *scratch;
graft_model *tiny;

static int held, failed;

void claim(int holds, const char *sentence, const char *found) {
    if (holds) {
        held++;
        return;
    }
    failed++;
    printf("FAILED  %s: found %s\n", sentence, found);
}

void expect(graft_status expected, const char *fragment, graft_status found, const char *sentence) {
    const char *message = graft_last_error_message();
    char text[2000];
    snprintf(text, sizeof text, "%s: %s", graft_status_name(found), message);
    claim(found == expected && (found == GRAFT_OK || strstr(message, fragment)), sentence, text);
    if (getenv("SHOW"))
        printf("%-70s %s\n", sentence, text);
}

int is_refused(graft_status found) {
    return found != GRAFT_OK && found != GRAFT_ERROR_INTERNAL && strlen(graft_last_error_message()) > 10;
}

void need(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    printf("FAILED  %s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

static void fail(const char *what, const char *path) {
    printf("FAILED  %s %s\n", what, path);
    exit(1);
}

const char *join(const char *folder, const char *name) {
    static char paths[4][1000];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        fail("cannot read", path);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size)
        fail("cannot read", path);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

void write_bytes(const char *path, const void *bytes, size_t size) {
    /* Some file systems wait for the disk when a file is cut to nothing and written again. */
    remove(path);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        fail("cannot write", path);
}

/* The names in a folder but . and .., one after the other; NULL at the end. */
static const char *next_name(DIR *folder) {
    struct dirent *entry;
    do {
        entry = readdir(folder);
    } while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
    return entry ? entry->d_name : NULL;
}

static void clear_folder(const char *path) {
    DIR *folder = opendir(path);
    for (const char *name; folder && (name = next_name(folder));)
        unlink(join(path, name));
    if (folder)
        closedir(folder);
}

const char *copy_folder(const char *golden, const char *name) {
    static char target[1000];
    snprintf(target, sizeof target, "%s/%s", scratch, name);
    mkdir(target, 0755);
    clear_folder(target);
    char source[1000];
    snprintf(source, sizeof source, "%s/%s", goldens, golden);
    DIR *folder = opendir(source);
    if (!folder)
        fail("cannot list", source);
    for (const char *file; (file = next_name(folder));) {
        size_t size;
        char *bytes = read_file(join(source, file), &size);
        write_bytes(join(target, file), bytes, size);
        free(bytes);
    }
    closedir(folder);
    return target;
}

graft_file *read_files(const char *source, int32_t *count) {
    enum { MOST_FILES = 16 };
    char path[1000];
    snprintf(path, sizeof path, "%s", source);
    graft_file *files = calloc(MOST_FILES, sizeof *files);
    DIR *folder = opendir(path);
    if (!files || !folder)
        fail("cannot list", path);
    *count = 0;
    for (const char *name; *count < MOST_FILES && (name = next_name(folder)); ++*count) {
        size_t size;
        char *bytes = read_file(join(path, name), &size);
        files[*count] = (graft_file){.name = strdup(name), .data = bytes, .size = (int64_t)size};
    }
    closedir(folder);
    return files;
}

void free_files(graft_file *files, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        free((void *)files[i].name);
        free((void *)files[i].data);
    }
    free(files);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 3)
        return 2;
    goldens = arguments[1];
    scratch = arguments[2];
    need(graft_model_load(join(goldens, "bert-tiny/sequence-classification"), NULL, &tiny),
         "loading bert-tiny");
    uint64_t checksum = graft_model_checksum(tiny);
    test_table();
    test_cuts();
    test_long_texts();
    test_many_labels();
    test_disks();
    test_mutations();
    test_sharing();
    test_heads();
    test_virtual_rows();
    test_adalora();
    test_folders();
    test_gguf();
    test_measures();
    test_numbers();
    test_constraints();
    test_sequences();
    test_templates();
    claim(graft_model_checksum(tiny) == checksum, "the model is as it was after all of it",
          "another checksum");
    graft_model_release(tiny);
    printf("%d held with %s kernels\n", held, graft_kernel_name());
    return failed != 0;
}
