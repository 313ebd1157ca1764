#pragma once
// exp(x) / sum exp(x) over rows of numbers, and the logarithm of it.

/// Where the numbers of rows lie.
typedef struct {
  /// How many numbers a row has.
  long width;
  /// From a number of a row to its next: 1 where rows lie one behind the other, else as many rows
  /// lie interleaved.
  long step;
} aviary_rows;

/// For rows that begin side by side: one behind the other where `step` is 1, else each one number
/// further on.
///
/// - Parameter logarithm: whether the result is x - log sum exp(x).
void aviary_softmax(const aviary_rows *how, int logarithm, const float *from, float *to, long rows);

/// The gradient by what `aviary_softmax` took.
///
/// - Parameters:
///   - gradient: that of the result.
///   - result: what `aviary_softmax` gave.
void aviary_softmax_gradient(const aviary_rows *how, int logarithm, const float *gradient,
                             const float *result, float *to, long rows);
