#define _GNU_SOURCE
#include "CIsolation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { given = AVIARY_MEMORY + 1 };

// A copy above the numbers that the helper uses, so that none is overwritten before it is copied.
static int lifted(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 16); }

int aviary_start(const char *program, const char *first, const char *second, const char *third,
                 int file, int answer, int memory, pid_t *child) {
  const char *arguments[] = {program, first, second, third, NULL};
  char *environment[] = {NULL};
  int copies[] = {lifted(file), lifted(answer), memory < 0 ? -1 : lifted(memory)};
  int status = copies[0] < 0 || copies[1] < 0 || (memory >= 0 && copies[2] < 0) ? errno : 0;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  if (!status) status = posix_spawn_file_actions_adddup2(&actions, copies[0], AVIARY_FILE);
  if (!status) status = posix_spawn_file_actions_adddup2(&actions, copies[1], AVIARY_ANSWER);
  if (!status)
    status = posix_spawn_file_actions_addopen(&actions, AVIARY_ERRORS, "/dev/null", O_WRONLY, 0);
  if (!status && memory >= 0)
    status = posix_spawn_file_actions_adddup2(&actions, copies[2], AVIARY_MEMORY);
  // Older systems lack this; there the helper itself closes what it was not meant to have.
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
  if (!status)
    status = posix_spawn_file_actions_addclosefrom_np(&actions, memory < 0 ? given - 1 : given);
#endif
#endif
  if (!status) status = posix_spawnattr_setsigmask(&attributes, &none);
  if (!status) status = posix_spawnattr_setsigdefault(&attributes, &all);
  if (!status)
    status =
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  if (!status)
    status = posix_spawn(child, program, &actions, &attributes, (char *const *)arguments,
                         environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  for (int i = 0; i < 3; i++)
    if (copies[i] >= 0) close(copies[i]);
  return status;
}

int aviary_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }

int aviary_memory(size_t byte_count) {
  int memory = memfd_create("aviary", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) return -1;
  int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (ftruncate(memory, (off_t)byte_count) == 0 && fcntl(memory, F_ADD_SEALS, seals) == 0)
    return memory;
  int error = errno;
  close(memory);
  errno = error;
  return -1;
}

static int limit(int resource, uint64_t most) {
  struct rlimit old, new = {most, most};
  // Only root may raise a limit that someone else has set lower.
  if (getrlimit(resource, &old) == 0 && old.rlim_max < most)
    new = (struct rlimit){old.rlim_max, old.rlim_max};
  // Time that is up is first said by a signal of its own.
  if (resource == RLIMIT_CPU && new.rlim_cur > 1) new.rlim_cur--;
  return setrlimit(resource, &new);
}

int aviary_confine(uint64_t memory_bytes, uint64_t seconds) {
#ifdef SYS_close_range
  syscall(SYS_close_range, given, ~0U, 0);
#else
  for (int i = given; i < 1024; i++) close(i);
#endif
  int failed = prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
               prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || limit(RLIMIT_AS, memory_bytes) ||
               limit(RLIMIT_CPU, seconds) || limit(RLIMIT_CORE, 0) || limit(RLIMIT_FSIZE, 0) ||
               limit(RLIMIT_NPROC, 0) || limit(RLIMIT_NOFILE, given);
  return failed ? errno : 0;
}
