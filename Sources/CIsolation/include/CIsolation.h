#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Starting a helper program that holds nothing but the descriptors it is given, and the limits that
// it sets on itself. In C because Swift imports neither functions with "..." (prctl) nor those that
// glibc shows only on request (memfd_create, pipe2).

// Where a helper finds its descriptors; the number after the last one is how many it may have.
enum { AVIARY_FILE = 0, AVIARY_ANSWER = 1, AVIARY_ERRORS = 2, AVIARY_MEMORY = 3 };

// Starts `program` with an empty environment, default signals, and the descriptors above:
// a file, a pipe, /dev/null and shared memory (-1 for none).
// Its arguments are the strings up to the first NULL. Gives 0 or a value of errno.
int aviary_start(const char *program, const char *first, const char *second, const char *third,
                 int file, int answer, int memory, pid_t *child);

// A pipe that no other program inherits: 0 or a value of errno.
int aviary_pipe(int ends[2]);

// Memory of this size as a descriptor; negative with errno set if there is none. Nobody can change
// the size later.
int aviary_memory(size_t byte_count);

// Gives up, for good, everything that reading from open descriptors does not need: new files and
// descriptors, sockets, programs, writing to files, memory and time beyond these limits, being
// traced, and outliving the program that started this one. Gives 0 or a value of errno.
int aviary_confine(uint64_t memory_bytes, uint64_t seconds);
