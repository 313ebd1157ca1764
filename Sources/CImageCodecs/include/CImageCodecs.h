// PNG, JPEG, TIFF, WebP and GIF, row by row, over libpng, libjpeg, libtiff, libwebp, giflib, lcms2 and zlib.
//
// The first two libraries report an error by a long jump, which must not cross Swift frames: each function
// here catches it and answers with a status, 0 for success, and the library's own words in `error`.
// Rows are interleaved samples of 8 bits, of 16 in the machine's byte order, or of 32: floats.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
  char text[256];
} cimg_error;

// What a file's header says. `channels` and `bit_depth` are those of the rows handed over: palettes
// are expanded, gray of 1, 2 and 4 bits becomes 8, tRNS becomes an alpha channel, CMYK becomes RGB.
typedef struct {
  uint32_t width;
  uint32_t height;
  int channels;
  int bit_depth;
  int stored_bit_depth;
  int is_palette;
  int is_cmyk;
  // Whether its profile said how CMYK becomes RGB, which is sRGB then.
  int is_by_profile;
  // All rows must be asked for at once (interlaced PNG).
  int is_interlaced;
  // The library itself keeps the whole image, two bytes a sample (progressive JPEG).
  int is_progressive;
  // Entropy-coded so that a lower bound of bits per block is known (Huffman, not arithmetic).
  int is_huffman;
  // The density: 0 none, 1 per inch, 2 per centimetre.
  int density_unit;
  double density_x;
  double density_y;
  // What must be done to see the image upright, as EXIF numbers it; 0 for nothing.
  int orientation;
  // Images in the file; 0 where a format has one.
  uint32_t pages;
  // What of the file is not carried, in words; empty for nothing.
  char left_behind[256];
  // What the library itself keeps while it decodes.
  uint64_t held_bytes;
  // Pixels that the compressed data stand for, where those are not all; else 0.
  uint64_t coded_pixels;
  // Bytes of compressed data, and the most that one of them can become; 0 where nothing is known.
  uint64_t compressed_bytes;
  uint32_t largest_ratio;
} cimg_info;

typedef struct cimg_reader cimg_reader;

// Open a reader on a file's beginning, through a duplicate of the descriptor, which stays the
// caller's. NULL on failure.
cimg_reader *cimg_open_png(int descriptor, cimg_info *info, cimg_error *error);
cimg_reader *cimg_open_jpeg(int descriptor, cimg_info *info, cimg_error *error);

// Opens a reader on a JPEG in memory, which must stay until the reader is closed. NULL on failure.
cimg_reader *cimg_open_jpeg_bytes(
  const uint8_t *bytes, size_t length, cimg_info *info, cimg_error *error);

// Opens a reader on an image of a TIFF, counted from 0. NULL on failure.
cimg_reader *cimg_open_tiff(int descriptor, uint32_t page, cimg_info *info, cimg_error *error);

// Opens a reader on a GIF of one image. NULL on failure, and for an animation; `pages` is
// then how many images there are.
cimg_reader *cimg_open_gif(int descriptor, cimg_info *info, cimg_error *error);

// Opens a reader on a WebP in memory, which must stay until the reader is closed. NULL on failure, and
// for an animation.
cimg_reader *cimg_open_webp(
  const uint8_t *bytes, size_t length, cimg_info *info, cimg_error *error);

// Reads the next `count` rows, `stride` bytes apart. With the last row the rest of the file is
// read too, so that damage after the image shows.
int cimg_read_rows(
  cimg_reader *reader, uint8_t *rows, size_t stride, uint32_t count, cimg_error *error);

// A JPEG's EXIF data without its "Exif\0\0", its joined ICC profile, its XMP packet without the
// namespace before it, its IPTC record out of Photoshop's blocks, or one of its comments, counted from 0: borrowed until the reader is
// closed; NULL where there is none, and for a PNG. The comments of a TIFF are the texts of its tags.
const uint8_t *cimg_exif(const cimg_reader *reader, size_t *length);
const uint8_t *cimg_icc_profile(const cimg_reader *reader, size_t *length);
const uint8_t *cimg_xmp(const cimg_reader *reader, size_t *length);
const uint8_t *cimg_iptc(const cimg_reader *reader, size_t *length);
const uint8_t *cimg_comment(const cimg_reader *reader, uint32_t position, size_t *length);

// What a comment is about, such as "Author". NULL where there is none.
const char *cimg_keyword(const cimg_reader *reader, uint32_t position);

void cimg_close(cimg_reader *reader);

// A part of a PNG's image data: rows filtered in the way that suits them and compressed by themselves, so that parts
// can be made at the same time. `above` is the row before the first, zeros for the image's first;
// `pixel_length` is bytes. Raw deflate data that ends on a whole byte, and is the end of all with
// `is_last`; `adler` is the checksum of the filtered rows. NULL without memory; else to be given to
// `free`.
uint8_t *cimg_compress_strip(
  const uint8_t *rows, const uint8_t *above, size_t row_length, size_t pixel_length, uint32_t count,
  int is_last, size_t *length, uint32_t *adler);

// The checksum of two stretches of bytes, the second of this length.
uint32_t cimg_joined_adler(uint32_t first, uint32_t second, size_t length);

// What a zlib stream holds, at most `limit` bytes. NULL for damage, for more, and without memory; else to
// be given to `free`.
uint8_t *cimg_inflate(const uint8_t *bytes, size_t length, size_t limit, size_t *result_length);

// Bytes as a zlib stream. NULL without memory; else to be given to `free`.
uint8_t *cimg_deflate(const uint8_t *bytes, size_t length, size_t *result_length);

// The CRC of what `sum` is the CRC of (0 of nothing) and these bytes.
uint32_t cimg_crc(uint32_t sum, const uint8_t *bytes, size_t length);

// A plane of values from 0 to 1 into interleaved samples, `step` samples apart: limited, halves
// rounded up, NaN to 0; of 16 bits, the high byte first.
void cimg_pack_8(const float *plane, size_t count, size_t step, uint8_t *samples);
void cimg_pack_16(const float *plane, size_t count, size_t step, uint8_t *samples);

// Floats as they are, `step` samples apart.
void cimg_pack_32(const float *plane, size_t count, size_t step, uint8_t *samples);

// The way back, `step` bytes apart; of 16 bits, in the machine's byte order.
void cimg_unpack_8(const uint8_t *samples, size_t count, ptrdiff_t step, float *plane);
void cimg_unpack_16(const uint8_t *samples, size_t count, ptrdiff_t step, float *plane);
void cimg_unpack_32(const uint8_t *samples, size_t count, ptrdiff_t step, float *plane);

// What a file that is written is to be.
typedef struct {
  uint32_t width;
  uint32_t height;
  // 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; alpha is not multiplied into the colour.
  int channels;
  // 8, 16, or 32 for floats.
  int bit_depth;
  // 1 to 100; 0 for no loss.
  int quality;
  // Whether chroma of a JPEG keeps the image's resolution.
  int is_full_chroma;
  // Whether a JPEG is written in scans, from coarse to fine.
  int is_progressive;
  // Pixels per metre; 0 where nothing is known.
  double density_x;
  double density_y;
} cimg_target;

typedef struct cimg_writer cimg_writer;

// Begin a file at the descriptor's position, through a duplicate of it. NULL on failure.
cimg_writer *cimg_create_jpeg(int descriptor, const cimg_target *target, cimg_error *error);
cimg_writer *cimg_create_tiff(int descriptor, const cimg_target *target, cimg_error *error);
cimg_writer *cimg_create_webp(int descriptor, const cimg_target *target, cimg_error *error);

enum { cimg_kind_exif = 0, cimg_kind_icc, cimg_kind_xmp, cimg_kind_iptc, cimg_kind_comment };

// What is beside the pixels: before the first row, each but comments once. A TIFF has the comment's
// keyword decide on its tag; it answers with 1 for one that it has none for.
int cimg_write_metadata(
  cimg_writer *writer, int kind, const char *keyword, const uint8_t *bytes, size_t length,
  cimg_error *error);

// Writes the next rows, which follow each other without gaps; 16 bits in the machine's byte order.
int cimg_write_rows(
  cimg_writer *writer, const uint8_t *rows, uint32_t count, cimg_error *error);

// Writes what stands after the last row.
int cimg_finish(cimg_writer *writer, cimg_error *error);

// Frees a writer, finished or not.
void cimg_abandon(cimg_writer *writer);

// An image as a JPEG, with the library's defaults (colour as YCbCr, chroma at half resolution).
// `channels` is 1 (gray) or 3 (RGB), `quality` 1 to 100; rows follow each other without gaps.
// NULL on failure; else to be given to `free`.
uint8_t *cimg_encode_jpeg(
  const uint8_t *rows, uint32_t width, uint32_t height, int channels, int quality, size_t *length,
  cimg_error *error);

// The way from the colours of an RGB profile to those of sRGB and back.
typedef struct cimg_colors cimg_colors;

// NULL for what is no profile of RGB, and for one that leads one way only. `deviation` is by how much
// colours from 0 to 1 are moved at most, `loss` by how much by going there and back.
cimg_colors *cimg_open_colors(
  const uint8_t *profile, size_t length, double *deviation, double *loss);

// Converts three planes of floats in their place; colours beyond those of sRGB are below 0 or above 1.
void cimg_convert_colors(
  const cimg_colors *colors, int is_back, float *planes, size_t width, size_t height);

void cimg_close_colors(cimg_colors *colors);
