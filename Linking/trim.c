/* Marks in objects what the linker is to leave out of a library for C.
 *
 *     trim FILE...
 *
 * Swift's compiler keeps all that a program might find by name while it runs, as a flag of each
 * section, whether or not anything refers to it. Here the linker decides, as of any other object.
 * Only how the runtime finds types, protocols and who conforms to them is kept.
 *
 * A file is an object or an archive of them. It is changed where it lies: flags and types of
 * sections, no sizes. */
#include <ar.h>
#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

enum { SHF_KEPT = 1 << 21 }; /* SHF_GNU_RETAIN, which headers older than 2.36 lack. */

static bool begins(const char *name, const char *with) {
    return strncmp(name, with, strlen(with)) == 0;
}

static bool is_zero(const char *bytes, size_t size) {
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static void trim(char *object) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)object;
    Elf64_Shdr *sections = (Elf64_Shdr *)(object + header->e_shoff);
    /* Where there are too many for the header, the first section has the numbers. */
    size_t count = header->e_shnum ? header->e_shnum : sections[0].sh_size;
    size_t names = header->e_shstrndx == SHN_XINDEX ? sections[0].sh_link : header->e_shstrndx;
    for (size_t i = 0; i < count; i++) {
        Elf64_Shdr *section = &sections[i];
        const char *name = object + sections[names].sh_offset + section->sh_name;
        if (!begins(name, "swift5_protocol") && !begins(name, "swift5_type_metadata"))
            section->sh_flags &= ~(Elf64_Xword)SHF_KEPT;
        /* Tables for unwinding: nothing is thrown through the library. */
        if (strcmp(name, ".eh_frame") == 0)
            section->sh_flags |= SHF_EXCLUDE;
        /* 64 kB of zeros, for what a program of Swift prints when it crashes. */
        if (strcmp(name, "swift5_backtrace") == 0 && is_zero(object + section->sh_offset, section->sh_size))
            section->sh_type = SHT_NOBITS;
    }
}

static int trim_file(const char *path) {
    int file = open(path, O_RDWR);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0)
        return perror(path), EXIT_FAILURE;
    char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED)
        return perror(path), EXIT_FAILURE;
    close(file);
    if (memcmp(bytes, ELFMAG, SELFMAG) == 0)
        return trim(bytes), EXIT_SUCCESS;
    if (memcmp(bytes, ARMAG, SARMAG) != 0)
        return fprintf(stderr, "%s: expected an object or an archive\n", path), EXIT_FAILURE;
    for (char *at = bytes + SARMAG; at < bytes + status.st_size;) {
        const struct ar_hdr *member = (const struct ar_hdr *)at;
        size_t size = strtoul(member->ar_size, NULL, 10);
        at += sizeof *member;
        if (memcmp(at, ELFMAG, SELFMAG) == 0)
            trim(at);
        at += size + size % 2;
    }
    return EXIT_SUCCESS;
}

int main(int argument_count, char **arguments) {
    int status = EXIT_SUCCESS;
    for (int i = 1; i < argument_count && status == EXIT_SUCCESS; i++)
        status = trim_file(arguments[i]);
    return status;
}
