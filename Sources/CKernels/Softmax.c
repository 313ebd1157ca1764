#include "CKernels.h"
#include "Functions.h"
#include "Vector.h"

typedef float vec8 __attribute__((vector_size(32)));
typedef float vec4 __attribute__((vector_size(16)));

enum {
  /// Sums go to others after so many numbers, so that float32 may hold them.
  depth = 64,
  /// Interleaved rows that are worked on at once, at most.
  columns = 256,
  /// Numbers of interleaved rows that are copied to lie together, at most.
  packed = 16384,
};

#define GREATER(a, b) SELECT((a) > (b), a, b)

INLINE float largest(const vec *v) {
  float result = (*v)[0];
  for (long i = 1; i < lanes; i++) result = (*v)[i] > result ? (*v)[i] : result;
  return result;
}

INLINE double total(const vec *sum) {
  vec8 a = __builtin_shufflevector(*sum, *sum, 0, 1, 2, 3, 4, 5, 6, 7) +
           __builtin_shufflevector(*sum, *sum, 8, 9, 10, 11, 12, 13, 14, 15);
  vec4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return (double)(b[0] + b[2]) + (double)(b[1] + b[3]);
}

/// Up to 16 numbers, and `fill` behind them.
INLINE void load_up_to(const float *place, long count, float fill, vec *result) {
  if (count >= lanes) {
    *result = LOAD(place);
    return;
  }
  float numbers[lanes];
  for (long i = 0; i < lanes; i++) numbers[i] = i < count ? place[i] : fill;
  *result = LOAD(numbers);
}

/// Up to 16 numbers.
INLINE void store_up_to(float *place, long count, const vec *numbers) {
  if (count >= lanes) {
    STORE(place, *numbers);
    return;
  }
  for (long i = 0; i < count; i++) place[i] = (*numbers)[i];
}

// MARK: Rows one behind the other

INLINE void softmax_row(const float *restrict from, float *restrict to, long width,
                        const int logarithm) {
  const float least = -__builtin_inff();
  vec most = ALL(least);
  for (long i = 0; i < width; i += lanes) {
    vec x;
    load_up_to(from + i, width - i, least, &x);
    most = GREATER(x, most);
  }
  const float middle = largest(&most);
  double sum = 0;
  for (long start = 0; start < width; start += depth * lanes) {
    const long end = start + depth * lanes < width ? start + depth * lanes : width;
    vec part = {0};
    for (long i = start; i < end; i += lanes) {
      vec x;
      load_up_to(from + i, width - i, least, &x);
      x -= middle;
      exponential(&x, &x);
      part += x;
      if (!logarithm) store_up_to(to + i, width - i, &x);
    }
    sum += total(&part);
  }
  const float times = (float)(1 / sum), less = logarithm ? (float)__builtin_log(sum) : 0;
  for (long i = 0; i < width; i += lanes) {
    vec x;
    load_up_to((logarithm ? from : to) + i, width - i, 0, &x);
    x = logarithm ? (x - middle) - less : x * times;
    store_up_to(to + i, width - i, &x);
  }
}

INLINE void gradient_row(const float *restrict gradient, const float *restrict result,
                         float *restrict to, long width, const int logarithm) {
  double sum = 0;
  for (long start = 0; start < width; start += depth * lanes) {
    const long end = start + depth * lanes < width ? start + depth * lanes : width;
    vec part = {0};
    for (long i = start; i < end; i += lanes) {
      vec g, y;
      load_up_to(gradient + i, width - i, 0, &g);
      load_up_to(result + i, width - i, 0, &y);
      part += logarithm ? g : g * y;
    }
    sum += total(&part);
  }
  const float whole = (float)sum;
  for (long i = 0; i < width; i += lanes) {
    vec g, y;
    load_up_to(gradient + i, width - i, 0, &g);
    load_up_to(result + i, width - i, 0, &y);
    if (logarithm) exponential(&y, &y);
    y = logarithm ? g - y * whole : y * (g - whole);
    store_up_to(to + i, width - i, &y);
  }
}

// MARK: Interleaved rows

/// Up to `columns` interleaved rows, a multiple of 16 of them if `fills`, else fewer than 16. Their numbers lie far apart, often at places that the cache can
/// hold few of at once: they are read once and copied, where there is room.
///
/// - Parameter copy: `packed` numbers.
INLINE void softmax_columns(const aviary_rows *how, const float *restrict from, float *restrict to,
                            long count, float *restrict copy, const int packs,
                            const int fills, const int logarithm) {
  const long width = how->width, step = how->step, vectors = (count + lanes - 1) / lanes;
  vec most[columns / lanes], sum[columns / lanes], part[columns / lanes];
  for (long k = 0; k < vectors; k++) {
    most[k] = ALL(-__builtin_inff());
    sum[k] = (vec){0};
  }
  for (long c = 0; c < width; c++) {
    for (long k = 0; k < vectors; k++) {
      vec x;
      load_up_to(from + c * step + k * lanes, fills ? lanes : count, 0, &x);
      if (packs) STORE(copy + (c * vectors + k) * lanes, x);
      most[k] = GREATER(x, most[k]);
    }
  }
#define NUMBER(source, c, k, x)                     \
  vec x;                                            \
  if (packs)                                        \
    x = LOAD(copy + ((c) * vectors + (k)) * lanes); \
  else                                              \
    load_up_to((source) + (c) * step + (k) * lanes, fills ? lanes : count, 0, &x)
  for (long start = 0; start < width; start += depth) {
    const long end = start + depth < width ? start + depth : width;
    for (long k = 0; k < vectors; k++) part[k] = (vec){0};
    for (long c = start; c < end; c++) {
      for (long k = 0; k < vectors; k++) {
        NUMBER(from, c, k, x);
        x -= most[k];
        exponential(&x, &x);
        part[k] += x;
        if (!logarithm) {
          if (packs)
            STORE(copy + (c * vectors + k) * lanes, x);
          else
            store_up_to(to + c * step + k * lanes, fills ? lanes : count, &x);
        }
      }
    }
    for (long k = 0; k < vectors; k++) sum[k] += part[k];
  }
  // From here `sum` is what is multiplied by, or what is subtracted.
  for (long k = 0; k < vectors; k++)
    for (long i = 0; i < lanes; i++)
      sum[k][i] = logarithm ? (float)__builtin_log((double)sum[k][i]) : 1 / sum[k][i];
  for (long c = 0; c < width; c++) {
    for (long k = 0; k < vectors; k++) {
      NUMBER(logarithm ? from : to, c, k, x);
      x = logarithm ? (x - most[k]) - sum[k] : x * sum[k];
      store_up_to(to + c * step + k * lanes, fills ? lanes : count, &x);
    }
  }
#undef NUMBER
}

INLINE void gradient_columns(const aviary_rows *how, const float *restrict gradient,
                             const float *restrict result, float *restrict to, long count,
                             const int fills, const int logarithm) {
  const long width = how->width, step = how->step, vectors = (count + lanes - 1) / lanes;
  vec sum[columns / lanes], part[columns / lanes];
  for (long k = 0; k < vectors; k++) sum[k] = (vec){0};
#define NUMBERS(c, k, g, y)                                                             \
  vec g, y;                                                                             \
  load_up_to(gradient + (c) * step + (k) * lanes, fills ? lanes : count, 0, &g);          \
  load_up_to(result + (c) * step + (k) * lanes, fills ? lanes : count, 0, &y)
  for (long start = 0; start < width; start += depth) {
    const long end = start + depth < width ? start + depth : width;
    for (long k = 0; k < vectors; k++) part[k] = (vec){0};
    for (long c = start; c < end; c++) {
      for (long k = 0; k < vectors; k++) {
        NUMBERS(c, k, g, y);
        part[k] += logarithm ? g : g * y;
      }
    }
    for (long k = 0; k < vectors; k++) sum[k] += part[k];
  }
  for (long c = 0; c < width; c++) {
    for (long k = 0; k < vectors; k++) {
      NUMBERS(c, k, g, y);
      if (logarithm) exponential(&y, &y);
      y = logarithm ? g - y * sum[k] : y * (g - sum[k]);
      store_up_to(to + c * step + k * lanes, fills ? lanes : count, &y);
    }
  }
#undef NUMBERS
}

CLONED void aviary_softmax(const aviary_rows *how, int logarithm, const float *from, float *to,
                           long rows) {
  const long width = how->width;
  if (how->step == 1) {
    for (long row = 0; row < rows * width; row += width) {
      if (logarithm)
        softmax_row(from + row, to + row, width, 1);
      else
        softmax_row(from + row, to + row, width, 0);
    }
    return;
  }
  float copy[packed];
  const long room = packed / width / lanes * lanes, full = rows / lanes * lanes;
  const long most = room > columns || room < lanes ? columns : room;
  for (long row = 0; row < full; row += most) {
    const long count = full - row < most ? full - row : most;
    const float *own = from + row;
    if (logarithm && room >= lanes)
      softmax_columns(how, own, to + row, count, copy, 1, 1, 1);
    else if (logarithm)
      softmax_columns(how, own, to + row, count, copy, 0, 1, 1);
    else if (room >= lanes)
      softmax_columns(how, own, to + row, count, copy, 1, 1, 0);
    else
      softmax_columns(how, own, to + row, count, copy, 0, 1, 0);
  }
  if (full == rows) return;
  if (logarithm)
    softmax_columns(how, from + full, to + full, rows - full, copy, 0, 0, 1);
  else
    softmax_columns(how, from + full, to + full, rows - full, copy, 0, 0, 0);
}

CLONED void aviary_softmax_gradient(const aviary_rows *how, int logarithm, const float *gradient,
                                    const float *result, float *to, long rows) {
  const long width = how->width;
  if (how->step == 1) {
    for (long row = 0; row < rows * width; row += width) {
      if (logarithm)
        gradient_row(gradient + row, result + row, to + row, width, 1);
      else
        gradient_row(gradient + row, result + row, to + row, width, 0);
    }
    return;
  }
  const long full = rows / lanes * lanes;
  for (long row = 0; row < full; row += columns) {
    const long count = full - row < columns ? full - row : columns;
    if (logarithm)
      gradient_columns(how, gradient + row, result + row, to + row, count, 1, 1);
    else
      gradient_columns(how, gradient + row, result + row, to + row, count, 1, 0);
  }
  if (full == rows) return;
  if (logarithm)
    gradient_columns(how, gradient + full, result + full, to + full, rows - full, 0, 1);
  else
    gradient_columns(how, gradient + full, result + full, to + full, rows - full, 0, 0);
}
