#pragma once
// Debian keeps every MPI's headers in a folder that its alternatives name.
#if __has_include(<mpi/mpi.h>)
#include <mpi/mpi.h>
#else
#include <mpi.h>
#endif

// MPI's handles and constants are macros around casts, which Swift does not import: what Aviary calls
// is wrapped here, for the communicator of all processes.

// Only the thread that starts MPI calls it. Gives what MPI_Init_thread gives.
static inline int aviary_mpi_start(void) {
  int level = 0;
  int status = MPI_Init_thread(0, 0, MPI_THREAD_FUNNELED, &level);
  // Calls report what went wrong instead of ending all processes.
  if (status == MPI_SUCCESS) MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  return status;
}

static inline int aviary_mpi_rank(int *rank) { return MPI_Comm_rank(MPI_COMM_WORLD, rank); }

static inline int aviary_mpi_size(int *size) { return MPI_Comm_size(MPI_COMM_WORLD, size); }

static inline int aviary_mpi_barrier(void) { return MPI_Barrier(MPI_COMM_WORLD); }

static inline int aviary_mpi_finish(void) { return MPI_Finalize(); }

// Ends all processes.
static inline void aviary_mpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

// `count` bytes of rank 0 to all.
static inline int aviary_mpi_broadcast(void *bytes, int count) {
  return MPI_Bcast(bytes, count, MPI_BYTE, 0, MPI_COMM_WORLD);
}

// `count` bytes from each process to each: those for rank r lie at r * count.
static inline int aviary_mpi_exchange(const void *send, void *receive, int count) {
  return MPI_Alltoall(send, count, MPI_BYTE, receive, count, MPI_BYTE, MPI_COMM_WORLD);
}

// `count` bytes of each process to all, in the order of ranks.
static inline int aviary_mpi_gather(const void *send, void *receive, int count) {
  return MPI_Allgather(send, count, MPI_BYTE, receive, count, MPI_BYTE, MPI_COMM_WORLD);
}
