#pragma once
// Sums, products and extremes of many numbers, in double precision.

/// How a number is taken into a result.
enum aviary_reduction {
  AVIARY_REDUCE_SUM,
  AVIARY_REDUCE_PRODUCT,
  AVIARY_REDUCE_MAXIMUM,
  AVIARY_REDUCE_MINIMUM,
  /// The sum of absolute values.
  AVIARY_REDUCE_ABSOLUTE,
  /// The sum of squared distances from a middle.
  AVIARY_REDUCE_SQUARES,
};

/// What a result begins with.
double aviary_reduction_start(enum aviary_reduction kind);

/// Takes numbers that lie side by side into one result.
double aviary_reduce_run(enum aviary_reduction kind, const float *from, long count, double middle,
                         double result);

/// Takes numbers that lie side by side into a result each.
///
/// - Parameter middles: one for each number; null for zeros.
void aviary_reduce_row(enum aviary_reduction kind, const float *from, long count,
                       const double *middles, double *results);
