/** How many processors this process may use: affinity, the quotas of its control groups, OpenMP's
 *  variables. */
#define _GNU_SOURCE
#include "processors.h"
#include "gk_internal.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic(int32_t) limit = GK_MAXIMUM_THREADS;

/** Bytes of a path: a longer one is left out of account. */
enum { LONGEST = 1024 };

/** Joins up to four texts; false where they do not fit. */
static bool join(char path[LONGEST], const char *a, const char *b, const char *c, const char *d) {
    return snprintf(path, LONGEST, "%s%s%s%s", a, b, c, d) < LONGEST;
}

/* ---- Quotas of control groups ---- */

/** Reads `count` numbers, "max" being -1, at the start of a file's first line; false where they are
 *  not there. */
static bool read_numbers(const char *path, long long *numbers, int count) {
    char line[64] = "", *next = line;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    for (int i = 0; i < count; i++) {
        char *end = next;
        bool is_unlimited = strncmp(next, "max", 3) == 0;
        numbers[i] = is_unlimited ? -1 : strtoll(next, &end, 10);
        if (is_unlimited)
            end = next + 3;
        if (end == next || !strchr(" \n", *end))
            return false;
        next = *end == ' ' ? end + 1 : end;
    }
    return true;
}

/** Processors that a folder of a control group grants, rounded up; INT32_MAX where it does not
 *  say. */
static int32_t quota_of_folder(const char *folder, bool is_second_version) {
    char path[LONGEST];
    long long numbers[2] = {-1, 0};
    if (is_second_version) {
        if (!join(path, folder, "/cpu.max", "", "") || !read_numbers(path, numbers, 2))
            return INT32_MAX;
    } else if (!join(path, folder, "/cpu.cfs_quota_us", "", "") || !read_numbers(path, numbers, 1) ||
               !join(path, folder, "/cpu.cfs_period_us", "", "") || !read_numbers(path, numbers + 1, 1)) {
        return INT32_MAX;
    }
    long long quota = numbers[0], period = numbers[1];
    if (quota <= 0 || period <= 0 || quota / period >= INT32_MAX)
        return INT32_MAX;
    return (int32_t)(quota / period + (quota % period != 0));
}

/** Whether a list such as "cpu,cpuacct" names the processors' controller. */
static bool names_processors(const char *list) {
    for (const char *name = list; *name;) {
        size_t length = strcspn(name, ",");
        if (length == 3 && strncmp(name, "cpu", 3) == 0)
            return true;
        name += length + (name[length] == ',');
    }
    return false;
}

/** The path of this process's control group within the hierarchy of a version. */
static bool find_group(const char *root, bool is_second_version, char path[LONGEST]) {
    char *line = NULL, file_name[LONGEST];
    size_t size = 0;
    bool is_found = false;
    FILE *file = join(file_name, root, "/proc/self/cgroup", "", "") ? fopen(file_name, "re") : NULL;
    if (!file)
        return false;
    while (!is_found && getline(&line, &size, file) > 0) {
        /* Number, controllers and path: "4:cpu,cpuacct:/a/b", or "0::/a/b" in version 2. */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *controllers++ = *group++ = '\0';
        is_found = (is_second_version ? *controllers == '\0' : names_processors(controllers)) &&
                   join(path, group, "", "", "");
    }
    free(line);
    fclose(file);
    return is_found;
}

/** What lies below `top` of `path`; NULL where that is no part of it. */
static const char *below(const char *path, const char *top) {
    size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
    return strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0') ? path + length
                                                                                            : NULL;
}

/** The smallest quota of a group and of all that it is in, as far as a mount shows them. */
static int32_t quota_of_mount(const char *root, const char *mount, const char *top, bool is_second_version) {
    char group[LONGEST], folder[LONGEST];
    if (!find_group(root, is_second_version, group))
        return INT32_MAX;
    /* A container that sees its host's paths has its own group where the mount begins. */
    const char *rest = below(group, top);
    if (!join(folder, root, mount, rest ? rest : "", ""))
        return INT32_MAX;
    size_t shortest = strlen(root) + strlen(mount);
    for (int32_t least = INT32_MAX;;) {
        int32_t quota = quota_of_folder(folder, is_second_version);
        least = quota < least ? quota : least;
        char *last = strrchr(folder, '/');
        if (!last || strlen(folder) <= shortest)
            return least;
        *last = '\0';
    }
}

int32_t gk_quota(const char *root) {
    char *line = NULL, file_name[LONGEST];
    size_t size = 0;
    int32_t least = INT32_MAX;
    FILE *file = join(file_name, root, "/proc/self/mountinfo", "", "") ? fopen(file_name, "re") : NULL;
    if (!file)
        return least;
    while (getline(&line, &size, file) > 0) {
        /* 30 23 0:26 /top /mount options - type source options */
        char *words[10], *rest = line, *dash = strstr(line, " - ");
        int count = 0;
        if (!dash)
            continue;
        *dash = '\0';
        for (char *word; count < 5 && (word = strsep(&rest, " "));)
            words[count++] = word;
        rest = dash + 3;
        for (char *word; count >= 5 && count < 8 && (word = strsep(&rest, " \n"));)
            words[count++] = word;
        if (count < 8)
            continue;
        bool is_second_version = strcmp(words[5], "cgroup2") == 0;
        if (!is_second_version && (strcmp(words[5], "cgroup") != 0 || !names_processors(words[7])))
            continue;
        int32_t quota = quota_of_mount(root, words[4], words[3], is_second_version);
        least = quota < least ? quota : least;
    }
    free(line);
    fclose(file);
    return least;
}

/* ---- All limits ---- */

/** The first number of a variable such as OMP_NUM_THREADS, "4" or "4,2"; INT32_MAX where it is
 *  none. */
static int32_t number_of_variable(const char *name) {
    const char *text = getenv(name);
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : 0;
    if (!text || end == text || number < 1 || number > INT32_MAX)
        return INT32_MAX;
    end += strspn(end, " \t");
    return *end == '\0' || *end == ',' ? (int32_t)number : INT32_MAX;
}

void gk_read_limits(void) {
    int32_t limits[] = {GK_MAXIMUM_THREADS, gk_quota(""), number_of_variable("OMP_NUM_THREADS"),
                        number_of_variable("OMP_THREAD_LIMIT")};
    int32_t least = limits[0];
    for (size_t i = 1; i < sizeof limits / sizeof *limits; i++)
        least = limits[i] < least ? limits[i] : least;
    atomic_store(&limit, least);
}

/** For tests; 0 where the system is asked. */
static _Atomic(int32_t) assumed;

void gk_assume_processors(int32_t count) {
    atomic_store(&assumed, count);
}

int32_t gk_processors(cpu_set_t *set) {
    int32_t count = 0, most = atomic_load(&limit);
    CPU_ZERO(set);
    if (sched_getaffinity(0, sizeof *set, set) == 0) {
        count = CPU_COUNT(set);
    } else {
        /* There are more processors than a set has room for. */
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        count = online < GK_MAXIMUM_THREADS ? (int32_t)online : GK_MAXIMUM_THREADS;
    }
    if (atomic_load(&assumed) > 0)
        return atomic_load(&assumed);
    count = count < most ? count : most;
    return count > 0 ? count : 1;
}

int32_t gk_processor_count(void) {
    cpu_set_t set;
    return gk_processors(&set);
}
