/* A training that is killed with SIGKILL at random moments and started again ends with the bytes of
 * one that was not.
 *
 *     killed GOLDENS SCRATCH
 *
 * The program runs itself as the training: killed GOLDENS SCRATCH NAME. */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <graft.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILL_COUNT = 20, ROW_COUNT = 60, LONGEST_ROW = 12, RUN_LIMIT = 400 };

static const char *goldens, *scratch;

static void check(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    printf("FAILED  %s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

static void stop(const char *what, const char *why) {
    printf("FAILED  %s: %s\n", what, why);
    exit(1);
}

/* ---- The training ---- */

static graft_dataset *make_rows(uint32_t seed) {
    int32_t tokens[ROW_COUNT * LONGEST_ROW], lengths[ROW_COUNT], labels[ROW_COUNT], count = 0;
    for (int row = 0; row < ROW_COUNT; row++) {
        seed = seed * 1664525 + 1013904223;
        labels[row] = (int32_t)(seed >> 16) % 3;
        lengths[row] = 2 + (int32_t)(seed >> 20) % (LONGEST_ROW - 1);
        tokens[count] = 2 + labels[row];
        for (int place = 1; place < lengths[row]; place++) {
            seed = seed * 1664525 + 1013904223;
            tokens[count + place] = 10 + (int32_t)(seed >> 16) % 100;
        }
        count += lengths[row];
    }
    graft_batch *batch = NULL;
    graft_dataset *rows = NULL;
    check(graft_batch_create(tokens, NULL, lengths, ROW_COUNT, &batch), "making rows");
    check(graft_batch_set_integers(batch, "labels", labels, ROW_COUNT, 1), "labelling them");
    check(graft_dataset_create(&rows), "making a data set");
    check(graft_dataset_append(rows, batch), "filling it");
    graft_batch_release(batch);
    return rows;
}

/* Trains to the end with a checkpoint after every step at scratch/NAME, and saves the adapter to
 * scratch/NAME-end. */
static int train(const char *name) {
    static const char *const labels[] = {"a", "b", "c"};
    char path[1000], end[1000], base[1000];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    snprintf(end, sizeof end, "%s/ends/%s", scratch, name);
    snprintf(base, sizeof base, "%s/bert-tiny/sequence-classification", goldens);
    graft_model *model = NULL;
    graft_adapter *adapter = NULL;
    graft_trainer *trainer = NULL;
    check(graft_model_load(base, NULL, &model), "loading bert-tiny");
    check(graft_adapter_create(model, "lora", "{\"lora_dropout\": 0.1}", 1, &adapter), "making an adapter");
    check(graft_adapter_set_head(adapter, "sequence_classification", labels, 3, NULL), "adding a head");
    graft_trainer_options options;
    graft_trainer_options_init(&options, sizeof options);
    options.checkpoint_path = path;
    options.checkpoint_steps = 1;
    options.evaluation_steps = 3;
    options.rows_per_batch = 4;
    options.batches_per_step = 2;
    options.epoch_count = 12;
    options.learning_rate = 5e-3f;
    options.schedule_settings = "{\"warmup_ratio\": 0.1}";
    options.thread_count = 1;
    check(graft_trainer_create(model, adapter, &options, &trainer), "making a trainer");
    check(graft_trainer_fit(trainer, make_rows(1), make_rows(2), NULL, NULL, NULL, NULL), "training");
    graft_trainer_release(trainer);
    check(graft_adapter_save(adapter, end), "saving");
    return 0;
}

/* ---- The killer ---- */

static pid_t start(const char *program, const char *name) {
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, goldens, scratch, name, (char *)NULL);
        _exit(127);
    }
    if (child < 0)
        stop("starting the training", "fork failed");
    return child;
}

static void sleep_for(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int has_checkpoint(const char *name) {
    char path[1000];
    snprintf(path, sizeof path, "%s/%s/trainer.safetensors", scratch, name);
    return access(path, F_OK) == 0;
}

/* The end of one run has the bytes of the end of another. */
static void compare(const char *left, const char *right, const char *file) {
    char paths[2][1000];
    snprintf(paths[0], sizeof paths[0], "%s/ends/%s/%s", scratch, left, file);
    snprintf(paths[1], sizeof paths[1], "%s/ends/%s/%s", scratch, right, file);
    FILE *files[2] = {fopen(paths[0], "rb"), fopen(paths[1], "rb")};
    if (!files[0] || !files[1])
        stop(file, "it was not saved");
    long offset = 0;
    for (int a = 0, b = 0; a != EOF || b != EOF; offset++) {
        a = getc(files[0]);
        b = getc(files[1]);
        if (a != b) {
            char where[1000];
            snprintf(where, sizeof where, "%.100s differs from %.100s at byte %ld", left, right, offset);
            stop(file, where);
        }
    }
    if (offset < 100)
        stop(file, "it is empty");
    fclose(files[0]);
    fclose(files[1]);
}

static void check_nothing_is_left(void) {
    DIR *folder = opendir(scratch);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strstr(entry->d_name, "unfinished"))
            stop("a killed writer's folder is left", entry->d_name);
    if (folder)
        closedir(folder);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 3)
        return 2;
    goldens = arguments[1];
    scratch = arguments[2];
    if (argument_count == 4)
        return train(arguments[3]);

    char ends[1000];
    snprintf(ends, sizeof ends, "%s/ends", scratch);
    mkdir(ends, 0755);
    double started = now();
    int status;
    if (waitpid(start(arguments[0], "whole"), &status, 0) < 0 || status != 0)
        stop("the training that nobody stops", "it failed");
    double duration = now() - started;

    uint32_t random = (uint32_t)time(NULL);
    printf("random moments begin with %u; a whole run takes %.2f s\n", random, duration);
    int kills = 0, kills_within = 0, runs = 0, starts = 0;
    while (kills < KILL_COUNT || runs == 0) {
        char name[32];
        snprintf(name, sizeof name, "killed-%d", runs);
        int finished = 0;
        while (!finished) {
            if (++starts > RUN_LIMIT)
                stop("the training", "it does not get on");
            pid_t child = start(arguments[0], name);
            if (kills < KILL_COUNT) {
                random = random * 1664525 + 1013904223;
                sleep_for(duration * 0.5 * (double)(random >> 8) / (double)(1 << 24));
                kill(child, SIGKILL);
            }
            waitpid(child, &status, 0);
            finished = WIFEXITED(status);
            if (finished && WEXITSTATUS(status) != 0)
                stop("a training that goes on", "it failed");
            if (!finished) {
                kills++;
                kills_within += has_checkpoint(name);
            }
        }
        compare("whole", name, "adapter_model.safetensors");
        compare("whole", name, "adapter_config.json");
        runs++;
    }
    check_nothing_is_left();
    if (kills_within < KILL_COUNT / 4)
        stop("too few kills", "after the first checkpoint");
    printf("%d kills, %d of them after a checkpoint, in %d runs: the same bytes each time\n", kills,
           kills_within, runs);
    return 0;
}
