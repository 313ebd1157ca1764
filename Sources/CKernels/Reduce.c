#include "CKernels.h"
#include "Vector.h"

typedef float vec8 __attribute__((vector_size(32)));
typedef float loose8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef double wide8 __attribute__((vector_size(64)));

/// Once a number is not one, the result is none.
INLINE double take(const enum aviary_reduction kind, double result, double x) {
  switch (kind) {
    case AVIARY_REDUCE_SUM: return result + x;
    case AVIARY_REDUCE_PRODUCT: return result * x;
    case AVIARY_REDUCE_MAXIMUM: return x > result || x != x ? x : result;
    case AVIARY_REDUCE_MINIMUM: return x < result || x != x ? x : result;
    case AVIARY_REDUCE_ABSOLUTE: return result + __builtin_fabs(x);
    case AVIARY_REDUCE_SQUARES: break;
  }
  return result + x * x;
}

double aviary_reduction_start(enum aviary_reduction kind) {
  switch (kind) {
    case AVIARY_REDUCE_PRODUCT: return 1;
    case AVIARY_REDUCE_MAXIMUM: return -__builtin_inf();
    case AVIARY_REDUCE_MINIMUM: return __builtin_inf();
    case AVIARY_REDUCE_SUM:
    case AVIARY_REDUCE_ABSOLUTE:
    case AVIARY_REDUCE_SQUARES: break;
  }
  return 0;
}

/// Eight results side by side: one alone would wait for every step.
INLINE double reduce_run(const enum aviary_reduction kind, const float *from, long count,
                         double middle, double result) {
  double parts[8];
  const double start = aviary_reduction_start(kind);
  for (long j = 0; j < 8; j++) parts[j] = start;
  long i = 0;
  for (; i + 8 <= count; i += 8)
    for (long j = 0; j < 8; j++) parts[j] = take(kind, parts[j], (double)from[i + j] - middle);
  for (long j = 0; j < 8; j++) {
    // Parts are sums already.
    if (kind == AVIARY_REDUCE_ABSOLUTE || kind == AVIARY_REDUCE_SQUARES)
      result += parts[j];
    else
      result = take(kind, result, parts[j]);
  }
  for (; i < count; i++) result = take(kind, result, (double)from[i] - middle);
  return result;
}

/// Sums, which are what is mostly wanted, with more of them side by side.
INLINE double sum_run(const float *from, long count, double result) {
  wide8 a = {0}, b = {0};
  long i = 0;
  for (; i + 16 <= count; i += 16) {
    a += __builtin_convertvector((vec8)*(const loose8 *)(from + i), wide8);
    b += __builtin_convertvector((vec8)*(const loose8 *)(from + i + 8), wide8);
  }
  a += b;
  result += ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]));
  for (; i < count; i++) result += (double)from[i];
  return result;
}

CLONED double aviary_reduce_run(enum aviary_reduction kind, const float *from, long count,
                                double middle, double result) {
  switch (kind) {
    case AVIARY_REDUCE_SUM: return sum_run(from, count, result);
    case AVIARY_REDUCE_PRODUCT: return reduce_run(AVIARY_REDUCE_PRODUCT, from, count, 0, result);
    case AVIARY_REDUCE_MAXIMUM: return reduce_run(AVIARY_REDUCE_MAXIMUM, from, count, 0, result);
    case AVIARY_REDUCE_MINIMUM: return reduce_run(AVIARY_REDUCE_MINIMUM, from, count, 0, result);
    case AVIARY_REDUCE_ABSOLUTE: return reduce_run(AVIARY_REDUCE_ABSOLUTE, from, count, 0, result);
    case AVIARY_REDUCE_SQUARES: break;
  }
  return reduce_run(AVIARY_REDUCE_SQUARES, from, count, middle, result);
}

INLINE void reduce_row(const enum aviary_reduction kind, const float *restrict from, long count,
                       const double *restrict middles, double *restrict results) {
  for (long i = 0; i < count; i++)
    results[i] = take(kind, results[i], (double)from[i] - (middles ? middles[i] : 0));
}

CLONED void aviary_reduce_row(enum aviary_reduction kind, const float *from, long count,
                              const double *middles, double *results) {
  switch (kind) {
    case AVIARY_REDUCE_SUM: return reduce_row(AVIARY_REDUCE_SUM, from, count, 0, results);
    case AVIARY_REDUCE_PRODUCT: return reduce_row(AVIARY_REDUCE_PRODUCT, from, count, 0, results);
    case AVIARY_REDUCE_MAXIMUM: return reduce_row(AVIARY_REDUCE_MAXIMUM, from, count, 0, results);
    case AVIARY_REDUCE_MINIMUM: return reduce_row(AVIARY_REDUCE_MINIMUM, from, count, 0, results);
    case AVIARY_REDUCE_ABSOLUTE: return reduce_row(AVIARY_REDUCE_ABSOLUTE, from, count, 0, results);
    case AVIARY_REDUCE_SQUARES: break;
  }
  reduce_row(AVIARY_REDUCE_SQUARES, from, count, middles, results);
}
