#pragma once
// Rows of images as weighted sums of others, for interpolation and its way back; and woven ones.

/// Adds a multiple of a row to another.
void aviary_add_row(const float *row, float weight, float *sum, long count);

/// Makes a row whose pixels are weighted sums of another's.
///
/// - Parameters:
///   - starts: taps `starts[i]` up to `starts[i + 1]` are those of pixel i.
///   - positions, weights: for each tap the pixel of `row` and its factor.
///   - most: how many taps each pixel has, or 0 where the numbers differ.
///   - pixels: how many there are in the result.
///   - depth: how many numbers a pixel has.
void aviary_gather_row(const float *row, const long *starts, const long *positions,
                       const float *weights, long most, long pixels, long depth, float *to);

/// Copies pixels that lie side by side to every so many pixels of a row.
///
/// - Parameters:
///   - count: how many pixels.
///   - depth: how many numbers a pixel has.
///   - step: from one pixel's place to the next, in pixels.
void aviary_spread_row(const float *from, long count, long depth, long step, float *to);
