#pragma once

// Loops of Aviary's that are worth compiling for several kinds of processor. Each function picks
// the code for the processor at hand when the program starts; ordinary builds need no flags.
//
// All numbers are float32. Channels are worked on in groups of 16, as many as the widest register
// holds.

/// Where the pixels of one image lie. Channel c of the pixel at row y, column x stands at
/// `start[y * row + x * pixel + c / 16 * group + c % 16 * channel]`.
typedef struct {
  long height, width, channels;
  /// Steps, in numbers: from row to row, from pixel to pixel, from 16 channels to the next 16, from
  /// one of them to the next.
  long row, pixel, group, channel;
} aviary_image;

/// A function of single numbers: `x > 0 ? x : x * slope`, then no less than `minimum` and no more
/// than `maximum`.
typedef struct {
  /// A slope for each channel, as many as fill groups of 16; null for `slope` in all.
  const float *slopes;
  float slope, minimum, maximum;
} aviary_activation;

/// What is done to a sum before it is stored.
typedef struct {
  /// A number for each channel, as many as fill groups of 16, that is added first; may be null.
  const float *bias;
  aviary_activation activation;
  /// An image that is added then, laid out as the result, which it may be itself; may be null.
  const float *other;
  /// Applied to the sum with `other`.
  aviary_activation final;
} aviary_epilogue;

/// Convolutions of 3x3 that Winograd's minimal filtering serves. Each is cut into tiles, whose
/// pixels contribute to some products of matrices, from which the results are made.
enum aviary_winograd {
  /// F(4x4, 3x3): 6x6 pixels, four apart, to 4x4, by 36 products instead of 144.
  AVIARY_PLAIN,
  /// Stride 2: 9x9 pixels, eight apart, to 4x4, by 81 products instead of 144: F(4, 2) for the
  /// pixels at even places, and those at odd places as they are.
  AVIARY_HALVING,
  /// A transposed convolution of stride 2: 5x5 pixels, four apart, to 8x8, by 81 products instead
  /// of 144, the same the other way round. Tiles begin at even places of the uncropped result.
  AVIARY_DOUBLING,
  /// The same with tiles that begin at odd places.
  AVIARY_DOUBLING_ODD,
};

/// The first part: what a row of tiles of an image contributes to each of the products.
///
/// - Parameters:
///   - image: channels lie side by side (`channel` is 1).
///   - from: the image's first number.
///   - top, left: the first pixel of the first tile, perhaps outside the image, where all is zero.
///   - count: how many tiles.
///   - to: number c of tile t for product p goes to `to[p * product + t * tile + c]`, for all groups
///     of channels; what is no channel becomes zero.
void aviary_winograd_input(enum aviary_winograd form, const aviary_image *image,
                           const float *from, long top, long left, long count, float *to,
                           long product, long tile);

/// The last part: turns the products into pixels and stores what lies in the image.
///
/// - Parameters:
///   - from: as `to` above.
///   - epilogue: what is done to the sums.
///   - to: the image's first number.
///   - top, left: the first pixel of the first tile, perhaps outside the image.
void aviary_winograd_output(enum aviary_winograd form, const float *from, long product, long tile,
                            long count, const aviary_epilogue *epilogue,
                            const aviary_image *image, float *to, long top, long left);

/// The weights' part: what kernels of 3x3 contribute to the products.
///
/// - Parameters:
///   - from: OIHW, kernels of `filters` filters and `channels` channels; for transposed
///     convolutions, too, in the order of their own taps.
///   - to: a matrix of `rows` x `columns` for each product, channel by filter; what is neither is
///     left as it is.
void aviary_winograd_weights(enum aviary_winograd form, const float *from, long filters,
                             long channels, float *to, long rows, long columns);
#include "fft.h"
#include "normalize.h"
#include "planes.h"
#include "pointwise.h"
#include "reduce.h"
#include "rows.h"
#include "softmax.h"
#include "tokens.h"
