#include "CKernels.h"
#include "Epilogue.h"
#include "Vector.h"

// Convolutions of stride 1 by the fast Fourier transform, tile by tile (overlap-save): a tile of
// 32x32 pixels is transformed, multiplied with the kernel's spectrum, and transformed back; what is
// not disturbed by the transform's period, 32 less the kernel and one more along each axis, is the
// result. Sixteen channels go through a transform at once, one a lane.
//
// Mathieu, Henaff, LeCun, Fast Training of Convolutional Networks through FFTs, 2014.

enum { size = aviary_fft_size, bins = aviary_fft_bins };

/// cos(2 pi m / 32).
static const float cosines[size] = {
    1,           0.98078528f,  0.92387953f,  0.83146961f,  0.70710678f,  0.55557023f,
    0.38268343f, 0.19509032f,  0,            -0.19509032f, -0.38268343f, -0.55557023f,
    -0.70710678f, -0.83146961f, -0.92387953f, -0.98078528f, -1,          -0.98078528f,
    -0.92387953f, -0.83146961f, -0.70710678f, -0.55557023f, -0.38268343f, -0.19509032f,
    0,           0.19509032f,  0.38268343f,  0.55557023f,  0.70710678f,  0.83146961f,
    0.92387953f, 0.98078528f};

/// sin(2 pi m / 32).
#define SINE(m) cosines[((m) + 3 * size / 4) % size]

/// Four numbers' discrete Fourier transform, in place.
INLINE void transform_four(vec *re, vec *im, long a, long b, long c, long d) {
  const vec sum_re = re[a] + re[c], sum_im = im[a] + im[c];
  const vec difference_re = re[a] - re[c], difference_im = im[a] - im[c];
  const vec other_re = re[b] + re[d], other_im = im[b] + im[d];
  const vec turned_re = im[b] - im[d], turned_im = re[d] - re[b];
  re[a] = sum_re + other_re, im[a] = sum_im + other_im;
  re[b] = difference_re + turned_re, im[b] = difference_im + turned_im;
  re[c] = sum_re - other_re, im[c] = sum_im - other_im;
  re[d] = difference_re - turned_re, im[d] = difference_im - turned_im;
}

/// The discrete Fourier transform of 32 numbers: four transforms of 8 after eight of 4.
///
/// With real and imaginary parts exchanged, both of what goes in and of what comes out, it is the
/// inverse, but for the factor 32.
INLINE void transform(const vec *re, const vec *im, vec *to_re, vec *to_im) {
  vec middle_re[size], middle_im[size];
  for (long j = 0; j < 8; j++) {
    vec a[4], b[4];
    for (long q = 0; q < 4; q++) a[q] = re[j + 8 * q], b[q] = im[j + 8 * q];
    transform_four(a, b, 0, 1, 2, 3);
    for (long k = 0; k < 4; k++) {
      const float c = cosines[j * k], s = SINE(j * k);
      middle_re[8 * k + j] = c * a[k] + s * b[k];
      middle_im[8 * k + j] = c * b[k] - s * a[k];
    }
  }
  for (long k = 0; k < 4; k++) {
    vec a[8], b[8];
    for (long j = 0; j < 8; j++) a[j] = middle_re[8 * k + j], b[j] = middle_im[8 * k + j];
    transform_four(a, b, 0, 2, 4, 6);
    transform_four(a, b, 1, 3, 5, 7);
    for (long m = 0; m < 4; m++) {
      const float c = cosines[4 * m], s = SINE(4 * m);
      const vec odd_re = c * a[2 * m + 1] + s * b[2 * m + 1];
      const vec odd_im = c * b[2 * m + 1] - s * a[2 * m + 1];
      to_re[k + 4 * m] = a[2 * m] + odd_re, to_im[k + 4 * m] = b[2 * m] + odd_im;
      to_re[k + 4 * m + 16] = a[2 * m] - odd_re, to_im[k + 4 * m + 16] = b[2 * m] - odd_im;
    }
  }
}

/// The pixels of a row of a tile; zero outside the image.
INLINE void load_row(const aviary_image *image, const float *from, long present, long y, long x,
                     vec *to) {
  const long first = x < 0 ? -x : 0;
  const long end = y < 0 || y >= image->height ? 0
                   : image->width - x < size   ? image->width - x
                                               : size;
  const float *row = from + y * image->row + x * image->pixel;
  for (long j = 0; j < size; j++) {
    if (j < first || j >= end) to[j] = (vec){};
    else if (present >= lanes) to[j] = LOAD(row + j * image->pixel);
    else load_some(row + j * image->pixel, present, &to[j]);
  }
}

/// One group of channels of one tile: the transforms of its rows, two real ones as one of complex
/// numbers, then those of the columns.
INLINE void input_tile(const aviary_image *image, const float *from, long present, long top,
                       long left, float *to, float *to_imaginary, long product) {
  vec spectrum_re[bins][size], spectrum_im[bins][size];
  for (long i = 0; i < size; i += 2) {
    vec a[size], b[size], re[size], im[size];
    load_row(image, from, present, top + i, left, a);
    load_row(image, from, present, top + i + 1, left, b);
    transform(a, b, re, im);
    for (long k = 0; k < bins; k++) {
      const long mirrored = (size - k) % size;
      spectrum_re[k][i] = 0.5f * (re[k] + re[mirrored]);
      spectrum_im[k][i] = 0.5f * (im[k] - im[mirrored]);
      spectrum_re[k][i + 1] = 0.5f * (im[k] + im[mirrored]);
      spectrum_im[k][i + 1] = 0.5f * (re[mirrored] - re[k]);
    }
  }
  for (long k = 0; k < bins; k++) {
    vec re[size], im[size];
    transform(spectrum_re[k], spectrum_im[k], re, im);
    for (long r = 0; r < size; r++) {
      STORE(to + (size * k + r) * product, re[r]);
      STORE(to_imaginary + (size * k + r) * product, im[r]);
    }
  }
}

CLONED void aviary_fft_input(const aviary_image *image, const float *from, long step, long top,
                             long left, long count, float *to, long product, long tile) {
  for (long t = 0; t < count; t++) {
    for (long c = 0; c < image->channels; c += lanes) {
      float *place = to + t * tile + c;
      input_tile(image, from + c / lanes * image->group, image->channels - c, top,
                 left + t * step, place, place + tile / 2, product);
    }
  }
}

/// Stores the pixels of one row of a tile that lie in the image.
INLINE void finish_row(const finish *f, enum kind kind, enum kind final, vec *y, long side,
                       long top, long left, float *to, const float *other) {
  if (top >= f->image->height) return;
  const long place = top * f->image->row + left * f->image->pixel;
  const long end = f->image->width - left < side ? f->image->width - left : side;
#define ROW(kind, final, other)                             \
  finish_pixels(f, kind, final, y, 0, end, to + place,      \
                other ? (const float *)other + place : 0, 1)
  FOR_EACH_KIND(kind, final, other, ROW);
#undef ROW
}

/// One group of channels of one tile: the columns' transforms back, then those of the rows, two at
/// once.
INLINE void output_tile(const float *from, const float *imaginary, long product,
                        const finish *f, enum kind kind, enum kind final, long height,
                        long width, long top, long left, float *to, const float *other) {
  vec rows_re[size][bins], rows_im[size][bins];
  for (long k = 0; k < bins; k++) {
    vec re[size], im[size], y_re[size], y_im[size];
    for (long r = 0; r < size; r++) {
      re[r] = LOAD(from + (size * k + r) * product);
      im[r] = LOAD(imaginary + (size * k + r) * product);
    }
    transform(im, re, y_im, y_re);
    for (long i = 0; i < height; i++) rows_re[i][k] = y_re[i], rows_im[i][k] = y_im[i];
  }
  for (long i = 0; i < height; i += 2) {
    // An odd row by itself has a row of zeros beside it.
    const long is_pair = i + 1 < height;
    vec re[size], im[size], a[size], b[size];
    for (long k = 0; k < bins; k++) {
      const vec second_re = is_pair ? rows_re[i + 1][k] : (vec){};
      const vec second_im = is_pair ? rows_im[i + 1][k] : (vec){};
      if (k > 0 && k < size / 2) {
        re[size - k] = rows_re[i][k] + second_im;
        im[size - k] = second_re - rows_im[i][k];
      }
      re[k] = rows_re[i][k] - second_im;
      im[k] = rows_im[i][k] + second_re;
    }
    transform(im, re, b, a);
    finish_row(f, kind, final, a, width, top + i, left, to, other);
    if (is_pair) finish_row(f, kind, final, b, width, top + i + 1, left, to, other);
  }
}

CLONED void aviary_fft_output(const float *from, long product, long tile, long count,
                              long height, long width, const aviary_epilogue *epilogue,
                              const aviary_image *image, float *to, long top, long left) {
  const enum kind kind = kind_of(&epilogue->activation), final = kind_of(&epilogue->final);
  for (long c = 0; c < image->channels; c += lanes) {
    const long group = c / lanes * image->group;
    const float *other = epilogue->other ? epilogue->other + group : 0;
    const finish f = finish_of(epilogue, image, c);
    for (long t = 0; t < count; t++) {
      const float *place = from + t * tile + c;
      output_tile(place, place + tile / 2, product, &f, kind, final, height, width, top,
                  left + t * width, to + group, other);
    }
  }
}

/// The spectra of kernels of sixteen filters for one channel, along one axis: what `count` numbers
/// contribute to a frequency.
INLINE void accumulate(const wide *re, const wide *im, long step, long count, long frequency,
                       const double *turns, wide *to_re, wide *to_im) {
  wide sum_re = {}, sum_im = {};
  for (long i = 0; i < count; i++) {
    const long m = frequency * i % size;
    const double c = turns[m], s = turns[(m + 3 * size / 4) % size];
    sum_re += c * re[i * step] + s * im[i * step];
    sum_im += c * im[i * step] - s * re[i * step];
  }
  *to_re = sum_re, *to_im = sum_im;
}

CLONED void aviary_fft_weights(const float *from, long filters, long channels, long height,
                               long width, float *to, long rows, long columns) {
  double turns[size];
  for (long m = 0; m < size; m++) turns[m] = __builtin_cos(2 * 3.14159265358979323846 * m / size);
  const double scale = 1.0 / (size * size);
  for (long k = 0; k < filters; k += lanes) {
    const long present = filters - k < lanes ? filters - k : lanes;
    for (long c = 0; c < channels; c++) {
      wide half_re[size][bins], half_im[size][bins];
      for (long y = 0; y < height; y++) {
        wide re[size], im[size];
        for (long x = 0; x < width; x++) {
          double numbers[lanes] = {0};
          for (long f = 0; f < present; f++)
            numbers[f] = from[(((k + f) * channels + c) * height + y) * width + x];
          __builtin_memcpy(&re[x], numbers, sizeof(wide));
          im[x] = (wide){};
        }
        for (long bin = 0; bin < bins; bin++)
          accumulate(re, im, 1, width, bin, turns, &half_re[y][bin], &half_im[y][bin]);
      }
      for (long bin = 0; bin < bins; bin++) {
        for (long r = 0; r < size; r++) {
          wide re, im;
          accumulate(&half_re[0][bin], &half_im[0][bin], bins, height, r, turns, &re, &im);
          // Networks correlate: the spectrum's conjugate is multiplied with.
          float *real = to + ((size * bin + r) * rows + c) * columns + k;
          float *imaginary = real + rows / 2 * columns;
          for (long f = 0; f < present; f++) {
            real[f] = imaginary[columns / 2 + f] = (float)(re[f] * scale);
            real[columns / 2 + f] = (float)(-im[f] * scale);
            imaginary[f] = (float)(im[f] * scale);
          }
        }
      }
    }
  }
}
