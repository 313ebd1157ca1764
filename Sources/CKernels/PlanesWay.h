// One way of Planes.c, for registers of LANES numbers, of which VECTORS side by side are worked on.
// Included once for each; names get an ending by WAY, functions an attribute by TARGET.

#define vec WAY(vec)
#define INLINE static inline __attribute__((always_inline)) TARGET
#define LOAD(place) (*(const WAY(loose) *)(place))
#define STORE(place, value) ((void)(*(WAY(loose) *)(place) = (value)))

typedef float vec __attribute__((ext_vector_type(LANES)));
typedef float WAY(loose) __attribute__((ext_vector_type(LANES), aligned(4), may_alias));

/// An activation of a vector.
INLINE vec WAY(activated)(vec x, float slope, const aviary_activation *activation) {
  x = x > 0 ? x : x * slope;
  x = x < activation->minimum ? (vec)activation->minimum : x;
  return x > activation->maximum ? (vec)activation->maximum : x;
}

// MARK: - Input

#include "TransposeWay.h"

/// Cuts `count` pixels of up to 16 channels into planes.
static TARGET void WAY(cut)(const float *from, const aviary_image *image, long channels,
                            long count, float *to, long stride) {
  long done = 0;
#if LANES == 16
  if (channels == 16 && image->channel == 1) {
    for (; done + 16 <= count; done += 16) {
      vec v[16];
      for (int i = 0; i < 16; i++) v[i] = LOAD(from + (done + i) * image->pixel);
      WAY(transpose)(v);
      for (int i = 0; i < 16; i++) STORE(to + i * stride + done, v[i]);
    }
  }
#endif
  for (long c = 0; c < channels; c++) {
    const float *source = from + c * image->channel;
    if (image->pixel == 1)
      memcpy(to + c * stride, source, count * sizeof(float));
    else
      for (long x = done; x < count; x++) to[c * stride + x] = source[x * image->pixel];
  }
}

/// Brings a row of the image into the first ring.
static TARGET void WAY(gather)(const job *job, long y) {
  const aviary_image *image = &job->planes->input;
  const aviary_plane_stage *stage = job->planes->stages;
  const progress *at = job->stages;
  // What lies outside of the image is zero since the tile began.
  const long start = at->first - stage->left;
  const long first = start < 0 ? 0 : start;
  long end = start + at->count + reach_right(stage);
  if (end > image->width) end = image->width;
  if (end <= first) return;
  float *to = at->ring + y % at->slots * stage->channels * at->stride + first - start;
  const float *from = job->input + y * image->row + first * image->pixel;
  for (long c = 0; c < stage->channels; c += 16) {
    const long channels = stage->channels - c < 16 ? stage->channels - c : 16;
    WAY(cut)(from + c / 16 * image->group, image, channels, end - first, to + c * at->stride,
             at->stride);
  }
}

// MARK: - Sums of products

/// What a block of filters takes and gives.
typedef struct {
  /// Where the planes of each row begin that the kernel meets; null for zeros.
  const float *rows[most_rows];
  long stride;
  const float *weights, *bias, *slopes;
  /// Where the results go, row by row, filter by filter; null for nowhere.
  float *lines[2 * most_filters];
  int adds;
} WAY(block);

/// Some filters at VECTORS vectors of pixels of some rows, of which `count` pixels are wanted.
INLINE void WAY(piece)(const aviary_planes *planes, const aviary_plane_stage *stage,
                       const WAY(block) * block, long x0, long count, const int filters,
                       const int height, const int width) {
  vec sums[most_filters * VECTORS];
  for (int f = 0; f < filters; f++)
    for (int i = 0; i < height * width; i++)
      sums[f * height * width + i] = block->bias ? block->bias[f] : 0;
  const long kernel_height = stage->kernel_height, kernel_width = stage->kernel_width;
  const long gap = stage->dilation_width;
  const float *weights = block->weights;
  for (long c = 0; c < stage->channels; c++) {
    for (long i = 0; i < kernel_height + height - 1; i++) {
      const float *row = block->rows[i];
      if (!row) continue;
      row += c * block->stride + x0;
      for (long j = 0; j < kernel_width; j++, row += gap) {
        vec values[VECTORS];
        for (int x = 0; x < width; x++) values[x] = LOAD(row + x * LANES);
        for (int r = 0; r < height; r++) {
          // A row of input meets another row of the kernel for each row of results.
          const long tap = i - r;
          if (height > 1 && (tap < 0 || tap >= kernel_height)) continue;
          const float *w = weights + (tap * kernel_width + j) * filters;
          for (int f = 0; f < filters; f++)
            for (int x = 0; x < width; x++)
              sums[(f * height + r) * width + x] += values[x] * w[f];
        }
      }
    }
    weights += kernel_height * kernel_width * filters;
  }
  const aviary_activation *activation = &stage->activation;
  const int is_bounded = activation->minimum != -INFINITY || activation->maximum != INFINITY;
  for (int f = 0; f < filters; f++) {
    const float slope = block->slopes ? block->slopes[f] : activation->slope;
    for (int r = 0; r < height; r++) {
      float *line = block->lines[r * filters + f];
      if (!line) continue;
      for (int x = 0; x < width; x++) {
        const long left = count - x * LANES;
        if (left <= 0) break;
        vec y = sums[(f * height + r) * width + x];
        if (is_bounded) y = WAY(activated)(y, slope, activation);
        else if (slope != 1) y = y > 0 ? y : y * slope;
        float *place = line + x0 + x * LANES;
        if (left >= LANES) {
          if (block->adds)
            y = WAY(activated)(y + LOAD(place), planes->final.slope, &planes->final);
          STORE(place, y);
        } else {
          float numbers[LANES] = {0};
          if (block->adds) {
            memcpy(numbers, place, left * sizeof(float));
            y = WAY(activated)(y + LOAD(numbers), planes->final.slope, &planes->final);
          }
          STORE(numbers, y);
          memcpy(place, numbers, left * sizeof(float));
        }
      }
    }
  }
}

#define LINE(filters, height)                                                                    \
  static TARGET void WAY(line##filters##x##height)(const aviary_planes *planes,                  \
                                                   const aviary_plane_stage *stage,              \
                                                   const WAY(block) * block, long count) {       \
    long x = 0;                                                                                  \
    for (; x + (VECTORS - 1) * LANES < count; x += VECTORS * LANES)                              \
      WAY(piece)(planes, stage, block, x, count - x, filters, height, VECTORS);                  \
    for (; x < count; x += LANES)                                                                \
      WAY(piece)(planes, stage, block, x, count - x, filters, height, 1);                        \
  }
LINE(1, 1)
LINE(2, 1)
LINE(3, 1)
LINE(4, 1)
LINE(5, 1)
LINE(6, 1)
LINE(1, 4)
LINE(2, 2)
LINE(3, 2)
#undef LINE

/// As many lines as `height` says of some filters.
static TARGET void WAY(line)(const aviary_planes *planes, const aviary_plane_stage *stage,
                             const WAY(block) * block, long filters, long height, long count) {
  switch (filters * 8 + height) {
    case 8 + 1: return WAY(line1x1)(planes, stage, block, count);
    case 16 + 1: return WAY(line2x1)(planes, stage, block, count);
    case 24 + 1: return WAY(line3x1)(planes, stage, block, count);
    case 32 + 1: return WAY(line4x1)(planes, stage, block, count);
    case 40 + 1: return WAY(line5x1)(planes, stage, block, count);
    case 48 + 1: return WAY(line6x1)(planes, stage, block, count);
    case 8 + 4: return WAY(line1x4)(planes, stage, block, count);
    case 16 + 2: return WAY(line2x2)(planes, stage, block, count);
    case 24 + 2: return WAY(line3x2)(planes, stage, block, count);
  }
}

// MARK: - Output

/// Puts the numbers of `factor` lines side by side.
static TARGET void WAY(weave)(const float *lines, long stride, long factor, long count,
                              float *to) {
#if LANES == 16
  if (factor == 2) {
    // Whole vectors: there is room to spare.
    for (long x = 0; x < count; x += 16) {
      const vec a = LOAD(lines + x), b = LOAD(lines + stride + x);
      STORE(to + 2 * x, __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                                22, 7, 23));
      STORE(to + 2 * x + 16, __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                                     29, 14, 30, 15, 31));
    }
    return;
  }
#endif
  for (long j = 0; j < factor; j++)
    for (long x = 0; x < count; x++) to[x * factor + j] = lines[j * stride + x];
}

/// Writes a line of results, or adds it to what stands there.
static TARGET void WAY(put)(const aviary_planes *planes, const float *from, float *to,
                            long count) {
  if (!planes->adds) {
    memcpy(to, from, count * sizeof(float));
    return;
  }
  long x = 0;
  for (; x + LANES <= count; x += LANES)
    STORE(to + x, WAY(activated)(LOAD(to + x) + LOAD(from + x), planes->final.slope,
                                 &planes->final));
  for (; x < count; x++) {
    const vec y = WAY(activated)((vec)(to[x] + from[x]), planes->final.slope, &planes->final);
    to[x] = y[0];
  }
}

/// Writes the squares of one row of positions.
static TARGET void WAY(put_squares)(const job *job, const float *lines, long y) {
  const aviary_planes *planes = job->planes;
  const progress *at = &job->stages[planes->count - 1];
  const long factor = planes->factor;
  const long filters = planes->stages[planes->count - 1].filters;
  const long start = at->first * factor - planes->crop_left;
  const long hidden = start < 0 ? -start : 0;
  long length = at->count * factor;
  if (length > planes->width - start) length = planes->width - start;
  if (length <= hidden) return;
  for (long line = 0; line < filters / factor; line++) {
    const long row = y * factor + line % factor - planes->crop_top;
    if (row < 0 || row >= planes->height) continue;
    WAY(weave)(lines + line * factor * job->tile, job->tile, factor, at->count, job->woven);
    float *plane = job->output + line / factor * planes->height * planes->width;
    WAY(put)(planes, job->woven + hidden, plane + row * planes->width + start + hidden,
             length - hidden);
  }
}

// MARK: - Lines

static TARGET void WAY(produce)(job *job, long index, long y);

/// Brings the input of a convolution into its ring, up to a row.
static TARGET void WAY(fill)(job *job, long index, long end) {
  progress *at = &job->stages[index];
  const long rows = index > 0 ? job->planes->stages[index - 1].rows : job->planes->input.height;
  while (at->next < end) {
    const long y = at->next;
    if (y < 0 || y >= rows) {
      at->next++;
    } else if (index == 0) {
      WAY(gather)(job, y);
      at->next++;
    } else {
      WAY(produce)(job, index - 1, y);
      at->next += job->stages[index - 1].height;
    }
  }
}

/// Calculates rows of a convolution from row `y` on, and puts them where they are wanted.
static TARGET void WAY(produce)(job *job, long index, long y) {
  const aviary_planes *planes = job->planes;
  const aviary_plane_stage *stage = &planes->stages[index];
  progress *at = &job->stages[index];
  const long height = at->height, filters = stage->filters;
  const long start = y - stage->top;
  WAY(fill)(job, index, start + reach_down(stage) + height);
  WAY(block) block;
  block.stride = at->stride;
  const long rows = index > 0 ? planes->stages[index - 1].rows : planes->input.height;
  for (long i = 0; i < stage->kernel_height + height - 1; i++) {
    const long row = start + i * stage->dilation_height;
    block.rows[i] = row < 0 || row >= rows
        ? 0 : at->ring + row % at->slots * stage->channels * at->stride;
  }
  // Where row 0 of filter 0 goes, and how far apart filters and rows are.
  const int is_last = index == planes->count - 1;
  const int is_woven = is_last && planes->factor > 1;
  block.adds = is_last && !is_woven && planes->adds;
  const long end = is_last ? job->end : stage->rows;
  const long blocks = aviary_plane_blocks(filters);
  for (long b = 0; b < blocks; b++) {
    const long from = filters * b / blocks, count = filters * (b + 1) / blocks - from;
    block.weights =
        stage->weights + from * stage->channels * stage->kernel_height * stage->kernel_width;
    block.bias = stage->bias ? stage->bias + from : 0;
    block.slopes = stage->activation.slopes ? stage->activation.slopes + from : 0;
    for (long r = 0; r < height; r++) {
      for (long f = 0; f < count; f++) {
        float **line = &block.lines[r * count + f];
        if (y + r >= end) {
          *line = 0;
        } else if (is_woven) {
          *line = job->lines + (r * filters + from + f) * job->tile;
        } else if (is_last) {
          *line = job->output + ((from + f) * planes->height + y + r) * planes->width + at->first;
        } else {
          const aviary_plane_stage *after = stage + 1;
          const progress *to = at + 1;
          *line = to->ring + ((y + r) % to->slots * filters + from + f) * to->stride + at->first
              - (to->first - after->left);
        }
      }
    }
    WAY(line)(planes, stage, &block, count, height, at->count);
  }
  for (long r = 0; is_woven && r < height && y + r < end; r++)
    WAY(put_squares)(job, job->lines + r * filters * job->tile, y + r);
}

/// Some columns of the rows from `first` on.
static TARGET void WAY(columns)(job *job, long first, long column) {
  const aviary_planes *planes = job->planes;
  const long last = planes->count - 1;
  progress *at = &job->stages[last];
  at->first = column;
  at->count = planes->stages[last].columns - column;
  if (at->count > job->tile) at->count = job->tile;
  long row = first;
  for (long i = last; i >= 0; i--) {
    const aviary_plane_stage *stage = &planes->stages[i];
    at = &job->stages[i];
    at->next = row - stage->top;
    row = at->next < 0 ? 0 : at->next;
    memset(at->ring, 0, at->slots * stage->channels * at->stride * sizeof(float));
    if (i == 0) break;
    // The one before gives what the kernel reaches.
    const long start = at->first - stage->left;
    long end = start + at->count + reach_right(stage);
    if (end > stage[-1].columns) end = stage[-1].columns;
    at[-1].first = start < 0 ? 0 : start;
    at[-1].count = end - at[-1].first;
  }
  for (long y = first; y < job->end; y += job->stages[last].height) WAY(produce)(job, last, y);
}

static TARGET void WAY(run)(const aviary_planes *planes, const float *input, float *output,
                            float *scratch, long first, long end) {
  job job = {.planes = planes};
  choose_tile(planes, &job);
  for (long i = 0; i < planes->count; i++) {
    job.stages[i].ring = scratch;
    scratch += job.stages[i].slots * planes->stages[i].channels * job.stages[i].stride;
  }
  const long last = planes->count - 1;
  const aviary_plane_stage *stage = &planes->stages[last];
  job.lines = scratch + spare;
  job.woven = job.lines + job.stages[last].height * stage->filters * job.tile + spare;
  const long inputs = planes->input.channels * planes->input.height * planes->input.width;
  const long outputs =
      stage->filters / (planes->factor * planes->factor) * planes->height * planes->width;
  while (first < end) {
    const long image = first / stage->rows, y = first % stage->rows;
    const long left = end - image * stage->rows;
    job.input = input + image * inputs;
    job.output = output + image * outputs;
    job.end = left < stage->rows ? left : stage->rows;
    for (long column = 0; column < stage->columns; column += job.tile)
      WAY(columns)(&job, y, column);
    first += job.end - y;
  }
}

#undef vec
#undef INLINE
#undef LOAD
#undef STORE
