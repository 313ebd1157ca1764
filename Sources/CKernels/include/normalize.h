#pragma once
// Normalisation of rows of numbers by their mean and by how far they spread.

/// What the numbers of a row are divided by.
enum aviary_spread {
  /// sqrt(variance + epsilon)
  AVIARY_DEVIATION,
  /// sqrt(mean of squares + epsilon)
  AVIARY_ROOT_MEAN_SQUARE,
  /// sqrt(mean of squares) + epsilon
  AVIARY_ROOT_PLUS_EPSILON,
  /// max(sqrt(sum of squares), epsilon)
  AVIARY_NORM,
};

typedef struct {
  enum aviary_spread spread;
  /// Whether the mean is subtracted first.
  int centers;
  double epsilon;
  /// How many numbers a row has.
  long width;
  /// From a number of a row to its next: 1 where rows lie one behind the other, else as many rows
  /// lie interleaved. Where numbers lie in blocks of 16, from a block of a row to its next.
  long step;
} aviary_normalization;

/// The mean of numbers, and the sum of their squared distances from it.
void aviary_moments(const float *from, long count, double *mean, double *squares);

/// What a row with these moments is multiplied by.
double aviary_normalizing_factor(const aviary_normalization *how, double mean, double squares);

/// `(x - mean) * factor + shift`, then times the weight and plus the bias that stand at the same
/// place.
///
/// - Parameter weight, bias: one for each number; null for none.
void aviary_normalize_run(const float *from, float *to, long count, double mean, double factor,
                          double shift, const float *weight, const float *bias);

/// Normalises rows that begin side by side: one behind the other where `step` is 1, else each one
/// number further on.
///
/// - Parameter weight, bias: one for each number of a row; null for none.
void aviary_normalize(const aviary_normalization *how, const float *from, float *to, long rows,
                      const float *weight, const float *bias);

/// The same for rows whose numbers lie in blocks of 16 (nChw16c): blocks of neighbouring rows lie side
/// by side.
void aviary_normalize_blocks(const aviary_normalization *how, const float *from, float *to,
                             long rows, const float *weight, const float *bias);

/// The gradient by what `aviary_normalize` took, and what these rows add to those by the weights.
///
/// - Parameters:
///   - gradient: that of the result.
///   - from: what was taken.
///   - sums: for each number of a row the sum of the gradient times the normalised number, then as
///     many sums of the gradient alone; both are added to.
void aviary_normalize_gradient(const aviary_normalization *how, const float *gradient,
                               const float *from, float *to, long rows, const float *weight,
                               double *sums);
