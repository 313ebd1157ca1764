#pragma once
// Convolutions whose vectors hold neighbouring pixels of a plane instead of channels, so that they
// are as fast for three channels as for sixty; several of them at once, line by line.

/// A convolution of stride 1.
typedef struct {
  long channels, filters;
  long kernel_height, kernel_width, dilation_height, dilation_width;
  /// The first tap of position 0 meets the input this far above and left of its first pixel; may be
  /// negative. There are zeros around the input.
  long top, left;
  /// How many positions are calculated.
  long rows, columns;
  /// Block by block of filters, as `aviary_plane_blocks` says; within a block channel by channel,
  /// row by row and column by column of the kernel, the filters of the block innermost.
  const float *weights;
  /// A number for each filter; may be null.
  const float *bias;
  /// The slopes, if there are any, one for each filter.
  aviary_activation activation;
} aviary_plane_stage;

/// Convolutions of which each takes what the one before gives.
typedef struct {
  long count;
  const aviary_plane_stage *stages;
  /// Where the pixels of the first one's input lie. Images follow one another without a gap.
  aviary_image input;
  /// The filters of the last one are the pixels of squares of this many rows and columns: filter
  /// (c * factor + i) * factor + j gives row i and column j of those of channel c, as in a pixel
  /// shuffle. So a transposed convolution is one of these too.
  long factor;
  /// How many of the first squares' rows and columns lie outside of the result.
  long crop_top, crop_left;
  /// The size of the result, which lies in planes.
  long height, width;
  /// Whether the result is added to what stands in its place, and what is done to the sum.
  int adds;
  aviary_activation final;
} aviary_planes;

/// The most convolutions that can follow one another.
enum { aviary_most_plane_stages = 12 };

/// In how many blocks so many filters are calculated: block b begins with filter
/// filters * b / blocks.
long aviary_plane_blocks(long filters);

/// How many numbers of scratch memory a part of the work needs.
long aviary_planes_scratch(const aviary_planes *planes);

/// Calculates lines `first` up to `end` of the lines of all images, of which each has as many as
/// the last convolution has rows.
void aviary_planes_run(const aviary_planes *planes, const float *input, float *output,
                       float *scratch, long first, long end);
