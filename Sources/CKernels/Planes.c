#include "CKernels.h"

#include <math.h>
#include <string.h>

// How the work is divided. A line of results needs as many lines of input as the kernel has rows;
// each convolution keeps the last few lines of its input, cut into planes, in a ring, and the one
// before writes into that ring. Whatever lies between the first and the last never leaves the
// second-level cache. Wide images are done in tiles of columns, so that this holds for them too.

/// Filters that are calculated at a time. With four vectors of pixels they fill 24 of 32 registers.
enum { most_filters = 6 };
/// Rows of input that one call of the innermost loops may meet.
enum { most_rows = 260 };
/// Numbers that all rings together should not exceed: two thirds of a second-level cache.
enum { most_numbers = 160 * 1024 };

/// What follows from a convolution's sizes, and how far it has come.
typedef struct {
  /// How many rows are calculated at a time: few filters leave registers for more.
  long height;
  /// The ring: how many rows it holds, and how far planes lie apart.
  long slots, stride;
  float *ring;
  /// Which columns are calculated of the tile at hand.
  long first, count;
  /// The next row of the input that comes into the ring.
  long next;
} progress;

/// A part of the work.
typedef struct {
  const aviary_planes *planes;
  /// The image at hand.
  const float *input;
  float *output;
  /// Where lines of squares are kept until they are woven, and the woven line.
  float *lines, *woven;
  /// How many columns are done at a time.
  long tile;
  /// The row at which the part ends.
  long end;
  progress stages[aviary_most_plane_stages];
} job;

long aviary_plane_blocks(long filters) { return (filters + most_filters - 1) / most_filters; }

static long rows_at_once(const aviary_plane_stage *stage) {
  if (stage->kernel_height == 1 || stage->dilation_height > 1 || stage->filters > 3) return 1;
  return stage->filters == 1 ? 4 : 2;
}

static long reach_down(const aviary_plane_stage *stage) {
  return (stage->kernel_height - 1) * stage->dilation_height;
}

static long reach_right(const aviary_plane_stage *stage) {
  return (stage->kernel_width - 1) * stage->dilation_width;
}

/// Sizes for tiles of so many columns; how many numbers all rings hold.
static long measure(const aviary_planes *planes, long tile, job *job) {
  long total = 0, count = tile, previous = 1;
  job->tile = tile;
  for (long i = planes->count - 1; i >= 0; i--) {
    const aviary_plane_stage *stage = &planes->stages[i];
    progress *at = &job->stages[i];
    at->height = rows_at_once(stage);
    previous = i > 0 ? rows_at_once(&planes->stages[i - 1]) : 1;
    at->slots = reach_down(stage) + at->height + previous - 1;
    count = (count + 15) / 16 * 16 + reach_right(stage);
    at->stride = (count + 15) / 16 * 16;
    total += at->slots * stage->channels * at->stride;
  }
  return total;
}

/// The widest tiles of equal size with which all rings stay in the cache.
static long choose_tile(const aviary_planes *planes, job *job) {
  const long columns = planes->stages[planes->count - 1].columns;
  for (long tiles = 1;; tiles++) {
    const long tile = ((columns + tiles - 1) / tiles + 63) / 64 * 64;
    const long total = measure(planes, tile, job);
    if (total <= most_numbers || tile == 64) return total;
  }
}

/// Room behind a ring for whole vectors.
enum { spare = 64 };

long aviary_planes_scratch(const aviary_planes *planes) {
  job job;
  const long total = choose_tile(planes, &job) + spare;
  if (planes->factor == 1) return total;
  const long last = planes->count - 1;
  return total + job.tile * (job.stages[last].height * planes->stages[last].filters)
      + job.tile * planes->factor + 2 * spare;
}

// The loops themselves, for registers of several widths.

#if defined(__x86_64__)

#define LOOPS "PlanesWay.h"
#include "Widths.h"

#endif

#define WAY(name) name##_128
#define TARGET
#define LANES 4
#define VECTORS 2
#include "PlanesWay.h"

void aviary_planes_run(const aviary_planes *planes, const float *input, float *output,
                       float *scratch, long first, long end) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4"))
    return run_512(planes, input, output, scratch, first, end);
  if (__builtin_cpu_supports("x86-64-v3"))
    return run_256(planes, input, output, scratch, first, end);
#endif
  run_128(planes, input, output, scratch, first, end);
}
