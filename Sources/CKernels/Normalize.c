#include "CKernels.h"
#include "Vector.h"

typedef float vec8 __attribute__((vector_size(32)));
typedef float vec4 __attribute__((vector_size(16)));

enum {
  /// Numbers whose sums float32 may hold.
  chunk = 4096,
  /// Sums of interleaved rows go to others after so many numbers.
  depth = 64,
  /// Interleaved rows that are copied at once, at most.
  columns = 256,
  /// Registers of interleaved rows that are normalised at once.
  tile = 4,
  /// Numbers of interleaved rows that are copied to lie together, at most.
  packed = 16384,
  /// Rows in blocks whose sums are in registers at once.
  half = 8,
};

INLINE double total(const vec *sum) {
  vec8 a = __builtin_shufflevector(*sum, *sum, 0, 1, 2, 3, 4, 5, 6, 7) +
           __builtin_shufflevector(*sum, *sum, 8, 9, 10, 11, 12, 13, 14, 15);
  vec4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return (double)(b[0] + b[2]) + (double)(b[1] + b[3]);
}

// The squares are of distances from the mean as float32 has it, and what it is off by is made good:
// far from zero a variance by the mean of squares would cancel.
INLINE void chunk_moments(const float *from, long count, double *mean, double *squares) {
  vec a = {0}, b = {0}, c = {0}, d = {0};
  long i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    a += LOAD(from + i);
    b += LOAD(from + i + lanes);
    c += LOAD(from + i + 2 * lanes);
    d += LOAD(from + i + 3 * lanes);
  }
  for (; i + lanes <= count; i += lanes) a += LOAD(from + i);
  a = (a + b) + (c + d);
  double sum = total(&a);
  for (; i < count; i++) sum += from[i];
  const float middle = (float)(sum / (double)count);
  vec first[2] = {{0}, {0}}, second[2] = {{0}, {0}};
  i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    vec x = LOAD(from + i) - middle, y = LOAD(from + i + lanes) - middle;
    first[0] += x;
    first[1] += y;
    second[0] += x * x;
    second[1] += y * y;
  }
  for (; i + lanes <= count; i += lanes) {
    vec x = LOAD(from + i) - middle;
    first[0] += x;
    second[0] += x * x;
  }
  first[0] += first[1];
  second[0] += second[1];
  double off = total(&first[0]), distances = total(&second[0]);
  for (; i < count; i++) {
    const double x = (double)from[i] - (double)middle;
    off += x;
    distances += x * x;
  }
  *mean = (double)middle + off / (double)count;
  distances -= off * off / (double)count;
  // Rounding may leave less than nothing; what is not a number stays so.
  *squares = distances < 0 ? 0 : distances;
}

// Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
// Variances", 1979.
INLINE void moments(const float *from, long count, double *mean, double *squares) {
  chunk_moments(from, count < chunk ? count : chunk, mean, squares);
  for (long start = chunk; start < count; start += chunk) {
    const long more = count - start < chunk ? count - start : chunk;
    double other, distances;
    chunk_moments(from + start, more, &other, &distances);
    const double share = (double)more / (double)(start + more), gap = other - *mean;
    *mean += gap * share;
    *squares += distances + gap * gap * (double)start * share;
  }
}

INLINE double factor(const aviary_normalization *how, double mean, double squares) {
  const double width = (double)how->width;
  switch (how->spread) {
    case AVIARY_DEVIATION: return 1 / __builtin_sqrt(squares / width + how->epsilon);
    case AVIARY_ROOT_MEAN_SQUARE:
      return 1 / __builtin_sqrt(squares / width + mean * mean + how->epsilon);
    case AVIARY_ROOT_PLUS_EPSILON:
      return 1 / (__builtin_sqrt(squares / width + mean * mean) + how->epsilon);
    case AVIARY_NORM: break;
  }
  const double norm = __builtin_sqrt(squares + width * mean * mean);
  return 1 / (norm < how->epsilon ? how->epsilon : norm);
}

INLINE void normalize_run(const float *restrict from, float *restrict to, long count, double mean,
                          double factor, double shift, const float *restrict weight,
                          const float *restrict bias) {
  const float middle = (float)mean, times = (float)factor;
  const float plus = (float)(((double)middle - mean) * factor + shift);
  long i = 0;
  for (; i + lanes <= count; i += lanes) {
    vec x = (LOAD(from + i) - middle) * times + plus;
    if (weight) x *= LOAD(weight + i);
    if (bias) x += LOAD(bias + i);
    STORE(to + i, x);
  }
  for (; i < count; i++) {
    const float x = (from[i] - middle) * times + plus;
    to[i] = x * (weight ? weight[i] : 1) + (bias ? bias[i] : 0);
  }
}

CLONED void aviary_moments(const float *from, long count, double *mean, double *squares) {
  moments(from, count, mean, squares);
}

double aviary_normalizing_factor(const aviary_normalization *how, double mean, double squares) {
  return factor(how, mean, squares);
}

CLONED void aviary_normalize_run(const float *from, float *to, long count, double mean,
                                 double factor, double shift, const float *weight,
                                 const float *bias) {
  normalize_run(from, to, count, mean, factor, shift, weight, bias);
}

// MARK: Interleaved rows

/// As `factor`, for 16 rows.
INLINE void factors(const aviary_normalization *how, const vec *mean, const vec *squares,
                    vec *result) {
  const float width = (float)how->width, epsilon = (float)how->epsilon, share = 1 / width;
  vec divisor;
  switch (how->spread) {
    case AVIARY_DEVIATION: divisor = __builtin_elementwise_sqrt(*squares * share + epsilon); break;
    case AVIARY_ROOT_MEAN_SQUARE:
      divisor = __builtin_elementwise_sqrt(*squares * share + *mean * *mean + epsilon);
      break;
    case AVIARY_ROOT_PLUS_EPSILON:
      divisor = __builtin_elementwise_sqrt(*squares * share + *mean * *mean) + epsilon;
      break;
    case AVIARY_NORM:
      divisor = __builtin_elementwise_sqrt(*squares + *mean * *mean * width);
      divisor = SELECT(divisor < epsilon, ALL(epsilon), divisor);
      break;
  }
  *result = 1 / divisor;
}

/// 16 numbers if there are as many, else `count`, with zeros behind them.
INLINE void load_if_full(const float *place, long count, const int fills, vec *result) {
  if (fills)
    *result = LOAD(place);
  else
    load_some(place, count, result);
}

/// Normalises interleaved rows: as many as fill `vectors` registers, or `count`, fewer than 16, where
/// they do not fill one.
///
/// - Parameter stride: from a number of a row to its next in `from`; in `to` it is `how->step`.
INLINE void normalize_tile(const aviary_normalization *how, const float *restrict from, long stride,
                           float *restrict to, const long vectors, const int fills, long count,
                           const float *restrict weight, const float *restrict bias) {
  const long width = how->width;
  const float share = 1 / (float)width;
  vec middle[tile] = {0}, first[tile] = {0}, second[tile] = {0};
  for (long start = 0; start < width; start += depth) {
    const long end = start + depth < width ? start + depth : width;
    vec part[tile] = {0};
    for (long c = start; c < end; c++) {
      for (long k = 0; k < vectors; k++) {
        vec x;
        load_if_full(from + c * stride + k * lanes, count, fills, &x);
        part[k] += x;
      }
    }
    for (long k = 0; k < vectors; k++) middle[k] += part[k];
  }
  for (long k = 0; k < vectors; k++) middle[k] *= share;
  for (long start = 0; start < width; start += depth) {
    const long end = start + depth < width ? start + depth : width;
    vec part[tile] = {0}, other[tile] = {0};
    for (long c = start; c < end; c++) {
      for (long k = 0; k < vectors; k++) {
        vec x;
        load_if_full(from + c * stride + k * lanes, count, fills, &x);
        x -= middle[k];
        part[k] += x;
        other[k] += x * x;
      }
    }
    for (long k = 0; k < vectors; k++) {
      first[k] += part[k];
      second[k] += other[k];
    }
  }
  // From here `first` is what is added to the normalised number, `second` what it is multiplied by.
  for (long k = 0; k < vectors; k++) {
    const vec off = first[k] * share, mean = middle[k] + off;
    vec squares = second[k] - off * first[k];
    squares = SELECT(squares < 0, (vec){0}, squares);
    vec times;
    factors(how, &mean, &squares, &times);
    second[k] = times;
    first[k] = how->centers ? -off * times : (vec){0};
    if (!how->centers) middle[k] = (vec){0};
  }
  for (long c = 0; c < width; c++) {
    const float times = weight ? weight[c] : 1, plus = bias ? bias[c] : 0;
    for (long k = 0; k < vectors; k++) {
      vec x;
      load_if_full(from + c * stride + k * lanes, count, fills, &x);
      x = ((x - middle[k]) * second[k] + first[k]) * times + plus;
      float *place = to + c * how->step + k * lanes;
      if (fills) {
        STORE(place, x);
      } else {
        for (long i = 0; i < count; i++) place[i] = x[i];
      }
    }
  }
}

/// Normalises `rows` interleaved rows, a multiple of 16.
INLINE void normalize_tiles(const aviary_normalization *how, const float *from, long stride,
                            float *to, long rows, const float *weight, const float *bias) {
  long row = 0;
  for (; row + tile * lanes <= rows; row += tile * lanes)
    normalize_tile(how, from + row, stride, to + row, tile, 1, 0, weight, bias);
  for (; row < rows; row += lanes)
    normalize_tile(how, from + row, stride, to + row, 1, 1, 0, weight, bias);
}

CLONED void aviary_normalize(const aviary_normalization *how, const float *from, float *to,
                             long rows, const float *weight, const float *bias) {
  const long width = how->width;
  if (how->step == 1) {
    for (long row = 0; row < rows; row++, from += width, to += width) {
      double mean, squares;
      moments(from, width, &mean, &squares);
      normalize_run(from, to, width, how->centers ? mean : 0, factor(how, mean, squares), 0,
                    weight, bias);
    }
    return;
  }
  const long full = rows / lanes * lanes, room = packed / width / lanes * lanes;
  if (room < lanes) {
    normalize_tiles(how, from, how->step, to, full, weight, bias);
  } else {
    // Their numbers lie far apart, often at places that the cache can hold few of at once: they are
    // read once and copied.
    float copy[packed];
    const long most = room > columns ? columns : room;
    for (long row = 0; row < full; row += most) {
      const long count = full - row < most ? full - row : most;
      for (long c = 0; c < width; c++)
        __builtin_memcpy(copy + c * count, from + c * how->step + row,
                         (unsigned long)count * sizeof(float));
      normalize_tiles(how, copy, count, to + row, count, weight, bias);
    }
  }
  if (full < rows)
    normalize_tile(how, from + full, how->step, to + full, 1, 0, rows - full, weight, bias);
}

// MARK: Rows in blocks of 16

#define FOLDED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

/// The sums of 16 vectors' numbers, side by side.
INLINE void sums_across(const vec *from, vec *result) {
  // Each turn leaves half as many vectors, with the sums of twice as many numbers in each lane.
  vec two[8], four[4], eight[2];
  for (long i = 0; i < 8; i++) {
    const vec a = from[2 * i], b = from[2 * i + 1];
    two[i] = FOLDED(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30) +
             FOLDED(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
  }
  for (long i = 0; i < 4; i++) {
    const vec a = two[2 * i], b = two[2 * i + 1];
    four[i] = FOLDED(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
              FOLDED(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
  for (long i = 0; i < 2; i++) {
    const vec a = four[2 * i], b = four[2 * i + 1];
    eight[i] = FOLDED(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
               FOLDED(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  }
  *result = FOLDED(eight[0], eight[1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
            FOLDED(eight[0], eight[1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}

/// Adds up the blocks of 8 rows, or of `count`, fewer: each number by its lane.
INLINE void sum_blocks(const float *restrict from, long step, long blocks, const long count,
                       vec *restrict sums) {
  vec parts[half] = {{0}};
  for (long b = 0; b < blocks; b++) {
    for (long row = 0; row < count; row++) parts[row] += LOAD(from + b * step + row * lanes);
  }
  for (long row = 0; row < count; row++) sums[row] = parts[row];
}

/// The same of distances from the rows' middles, and of their squares.
INLINE void sum_distances(const float *restrict from, long step, long blocks, const long count,
                          const float *restrict middle, vec *restrict sums,
                          vec *restrict squares) {
  vec parts[half] = {{0}}, others[half] = {{0}};
  for (long b = 0; b < blocks; b++) {
    for (long row = 0; row < count; row++) {
      const vec x = LOAD(from + b * step + row * lanes) - middle[row];
      parts[row] += x;
      others[row] += x * x;
    }
  }
  for (long row = 0; row < count; row++) {
    sums[row] = parts[row];
    squares[row] = others[row];
  }
}

/// Normalises `count` rows, at most 16.
INLINE void normalize_blocks(const aviary_normalization *how, const float *restrict from,
                             float *restrict to, const long count, const float *restrict weight,
                             const float *restrict bias) {
  const long blocks = how->width / lanes, step = how->step;
  const float share = 1 / (float)how->width;
  const long few = count < half ? count : half, more = count - few;
  const float *const behind = from + half * lanes;
  vec parts[lanes] = {{0}}, others[lanes] = {{0}}, middle, first, second, times;
  sum_blocks(from, step, blocks, few, parts);
  sum_blocks(behind, step, blocks, more, parts + half);
  sums_across(parts, &middle);
  middle *= share;
  float middles[lanes], factor[lanes], plus[lanes];
  STORE(middles, middle);
  sum_distances(from, step, blocks, few, middles, parts, others);
  sum_distances(behind, step, blocks, more, middles + half, parts + half, others + half);
  sums_across(parts, &first);
  sums_across(others, &second);
  const vec off = first * share, mean = middle + off;
  vec squares = second - off * first;
  squares = SELECT(squares < 0, (vec){0}, squares);
  factors(how, &mean, &squares, &times);
  STORE(factor, times);
  STORE(plus, how->centers ? -off * times : (vec){0});
  if (!how->centers) STORE(middles, (vec){0});
  for (long b = 0; b < blocks; b++) {
    const vec scale = weight ? LOAD(weight + b * lanes) : ALL(1.0f);
    const vec shift = bias ? LOAD(bias + b * lanes) : (vec){0};
    for (long row = 0; row < count; row++) {
      const long place = b * step + row * lanes;
      const vec x = (LOAD(from + place) - middles[row]) * factor[row] + plus[row];
      STORE(to + place, x * scale + shift);
    }
  }
}

CLONED void aviary_normalize_blocks(const aviary_normalization *how, const float *from, float *to,
                                    long rows, const float *weight, const float *bias) {
  long row = 0;
  for (; row + lanes <= rows; row += lanes)
    normalize_blocks(how, from + row * lanes, to + row * lanes, lanes, weight, bias);
  if (row < rows)
    normalize_blocks(how, from + row * lanes, to + row * lanes, rows - row, weight, bias);
}

// MARK: Gradient

/// What the gradient by a number is made of: with g the gradient by the result times the weight,
/// `factor * g - slope * sum(g * (x - shift)) * (x - middle) - (factor * mean(g) if centred)`.
typedef struct {
  double shift, middle, factor, slope;
} derivative;

INLINE derivative derivative_of(const aviary_normalization *how, double mean, double squares) {
  const double width = (double)how->width, f = factor(how, mean, squares);
  derivative d = {how->centers ? mean : 0, 0, f, 0};
  switch (how->spread) {
    case AVIARY_DEVIATION:
      d.middle = mean;
      d.slope = f * f * f / width;
      break;
    case AVIARY_ROOT_MEAN_SQUARE: d.slope = f * f * f / width; break;
    case AVIARY_ROOT_PLUS_EPSILON: {
      const double root = __builtin_sqrt(squares / width + mean * mean);
      d.slope = root > 0 ? f * f / (width * root) : 0;
      break;
    }
    case AVIARY_NORM: {
      const double norm = __builtin_sqrt(squares + width * mean * mean);
      d.slope = norm > how->epsilon ? f * f * f : 0;
      break;
    }
  }
  return d;
}

/// One row.
INLINE void row_gradient(const aviary_normalization *how, const float *restrict gradient,
                         const float *restrict from, float *restrict to,
                         const float *restrict weight, double *restrict sums) {
  const long width = how->width;
  double mean, squares;
  moments(from, width, &mean, &squares);
  const derivative d = derivative_of(how, mean, squares);
  double whole[8] = {0}, product[8] = {0};
  for (long i = 0; i < width; i += 8) {
    const long count = width - i < 8 ? width - i : 8;
    for (long j = 0; j < count; j++) {
      const double g = gradient[i + j], x = (double)from[i + j] - d.shift;
      const double weighted = g * (weight ? weight[i + j] : 1);
      whole[j] += weighted;
      product[j] += weighted * x;
      sums[i + j] += g * x * d.factor;
      sums[width + i + j] += g;
    }
  }
  for (long j = 1; j < 8; j++) {
    whole[0] += whole[j];
    product[0] += product[j];
  }
  const double slope = d.slope * product[0];
  const double less = how->centers ? d.factor * whole[0] / (double)width : 0;
  for (long i = 0; i < width; i++) {
    const double weighted = (double)gradient[i] * (weight ? weight[i] : 1);
    to[i] = (float)(d.factor * weighted - slope * ((double)from[i] - d.middle) - less);
  }
}

/// Up to 16 interleaved rows.
INLINE void column_gradients(const aviary_normalization *how, const float *restrict gradient,
                             const float *restrict from, float *restrict to, long count,
                             const float *restrict weight, double *restrict sums) {
  const long width = how->width, step = how->step;
  double mean[lanes] = {0}, squares[lanes] = {0}, whole[lanes] = {0}, product[lanes] = {0};
  derivative d[lanes];
  for (long c = 0; c < width; c++)
    for (long i = 0; i < count; i++) mean[i] += from[c * step + i];
  for (long i = 0; i < count; i++) mean[i] /= (double)width;
  for (long c = 0; c < width; c++) {
    for (long i = 0; i < count; i++) {
      const double x = from[c * step + i] - mean[i];
      squares[i] += x * x;
    }
  }
  for (long i = 0; i < count; i++) d[i] = derivative_of(how, mean[i], squares[i]);
  for (long c = 0; c < width; c++) {
    const double times = weight ? weight[c] : 1;
    double normalized = 0, plain = 0;
    for (long i = 0; i < count; i++) {
      const double g = gradient[c * step + i], x = from[c * step + i] - d[i].shift;
      whole[i] += g * times;
      product[i] += g * times * x;
      normalized += g * x * d[i].factor;
      plain += g;
    }
    sums[c] += normalized;
    sums[width + c] += plain;
  }
  for (long i = 0; i < count; i++) {
    product[i] *= d[i].slope;
    whole[i] = how->centers ? d[i].factor * whole[i] / (double)width : 0;
  }
  for (long c = 0; c < width; c++) {
    const double times = weight ? weight[c] : 1;
    for (long i = 0; i < count; i++) {
      const double g = gradient[c * step + i] * times, x = from[c * step + i] - d[i].middle;
      to[c * step + i] = (float)(d[i].factor * g - product[i] * x - whole[i]);
    }
  }
}

CLONED void aviary_normalize_gradient(const aviary_normalization *how, const float *gradient,
                                      const float *from, float *to, long rows,
                                      const float *weight, double *sums) {
  const long width = how->width;
  if (how->step == 1) {
    for (long row = 0; row < rows * width; row += width)
      row_gradient(how, gradient + row, from + row, to + row, weight, sums);
    return;
  }
  for (long row = 0; row < rows; row += lanes) {
    const long count = rows - row < lanes ? rows - row : lanes;
    column_gradients(how, gradient + row, from + row, to + row, count, weight, sums);
  }
}
