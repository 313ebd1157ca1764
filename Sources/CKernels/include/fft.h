#pragma once

enum {
  /// Pixels of a tile along an axis, of which a convolution by the fast Fourier transform gives so
  /// many less as the kernel has, and one more.
  aviary_fft_size = 32,
  /// Frequencies of real numbers along an axis that are not the conjugates of others.
  aviary_fft_bins = aviary_fft_size / 2 + 1,
};

/// The first part of a convolution by the fast Fourier transform: the spectra of a row of tiles.
///
/// - Parameters:
///   - image: channels lie side by side (`channel` is 1).
///   - from: the image's first number.
///   - step: pixels from tile to tile.
///   - top, left: the first pixel of the first tile, perhaps outside the image, where all is zero.
///   - count: how many tiles.
///   - to: of number c of tile t, for product p, the real part goes to
///     `to[p * product + t * tile + c]`, the imaginary part `tile / 2` behind it, for all groups of
///     channels; what is no channel becomes zero.
void aviary_fft_input(const aviary_image *image, const float *from, long step, long top, long left,
                      long count, float *to, long product, long tile);

/// The last part: turns the products into pixels and stores what lies in the image.
///
/// - Parameters:
///   - from: as `to` above.
///   - height, width: pixels that a tile gives, which are the steps from tile to tile.
///   - epilogue: what is done to the sums.
///   - to: the image's first number.
///   - top, left: the first pixel of the first tile.
void aviary_fft_output(const float *from, long product, long tile, long count, long height,
                       long width, const aviary_epilogue *epilogue, const aviary_image *image,
                       float *to, long top, long left);

/// The weights' part: the products' matrices, which multiply complex numbers by their real and
/// imaginary parts.
///
/// - Parameters:
///   - from: OIHW, kernels of `filters` filters, `channels` channels, `height` x `width` taps.
///   - to: a matrix of `rows` x `columns` for each product, channel by filter, the imaginary parts
///     in the second half of both; what is neither is left as it is.
void aviary_fft_weights(const float *from, long filters, long channels, long height, long width,
                        float *to, long rows, long columns);
