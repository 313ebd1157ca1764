#define _GNU_SOURCE
#include "CThreads.h"

#include <unistd.h>

// Swift packages compile C with clang, whose `#pragma omp` calls another OpenMP runtime, with a pool
// of its own. These are libgomp's entry points, what gcc compiles the pragma to: part of its binary
// interface since 2005, which oneDNN calls too.
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
void omp_set_num_threads(int count);
void omp_set_dynamic(int is_dynamic);
int omp_get_num_procs(void);
int omp_get_thread_num(void);
int omp_get_num_threads(void);

typedef struct {
  void (*body)(void *context, int part, int parts);
  void *context;
} team_job;

static void run_part(void *data) {
  const team_job *job = data;
  job->body(job->context, omp_get_thread_num(), omp_get_num_threads());
}

void aviary_team_run(
    int threads, void (*body)(void *context, int part, int parts), void *context) {
  team_job job = {body, context};
  GOMP_parallel(run_part, &job, (unsigned)threads, 0);
}

void aviary_team_resize(int threads) {
  omp_set_num_threads(threads);
  // OMP_DYNAMIC would let libgomp give fewer threads than oneDNN has divided the work among.
  omp_set_dynamic(0);
}

aviary_team_record *aviary_team_note(void) {
  static _Thread_local aviary_team_record record = {1, 1};
  return &record;
}

int aviary_team_cores(void) { return omp_get_num_procs(); }

int aviary_thread_id(void) { return gettid(); }
