#pragma once

// The threads of GNU OpenMP (libgomp), on which oneDNN runs too: Aviary's loops use the same ones,
// so that two pools never compete for the cores.

/// Calls `body(context, part, parts)` on `threads` threads at the same time, the calling one among
/// them, and waits for all: `#pragma omp parallel num_threads(threads)`.
///
/// `parts` is how many threads there are: fewer than asked for inside of another call. Where the
/// system refuses a thread, libgomp ends the process with a message: see `ThreadPool.reserve`.
void aviary_team_run(
    int threads, void (*_Nonnull body)(void *_Nullable context, int part, int parts),
    void *_Nullable context);

/// How many threads oneDNN's primitives use that the calling thread makes or runs from now on.
void aviary_team_resize(int threads);

/// How many threads the calling thread has asked the system for, and how many it was given, itself
/// among them: `ThreadPool`'s notes, kept here because Swift has no variables of single threads.
typedef struct {
  int asked, given;
} aviary_team_record;
aviary_team_record *_Nonnull aviary_team_note(void);

/// The processor's cores that this process may run on.
int aviary_team_cores(void);

/// The kernel's number of the calling thread: its name in /proc/self/task.
int aviary_thread_id(void);
