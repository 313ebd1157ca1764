#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "CImageCodecs.h"

// The filters of PNG that come into question; the one by the left neighbour alone hardly ever wins.
enum { filter_up = 2, filter_average = 3, filter_paeth = 4 };

// What is nearest to a + b - c: of neighbours to the left, above, and above to the left.
static inline uint8_t paeth(int a, int b, int c) {
  int to_a = abs(b - c), to_b = abs(a - c), to_c = abs(a + b - 2 * c);
  int nearest = to_b <= to_c ? b : c;
  return (uint8_t)(to_a <= to_b && to_a <= to_c ? a : nearest);
}

// What each byte is above what its neighbours foretell.
static void filter(
    int type, const uint8_t *row, const uint8_t *above, size_t count, size_t pixel,
    uint8_t *filtered) {
  // Nothing is to the left of the first pixel, which counts as 0.
  for (size_t i = 0; i < pixel; i++) {
    int mean = above[i] >> 1;
    filtered[i] = (uint8_t)(row[i] - (type == filter_average ? mean : above[i]));
  }
  switch (type) {
    case filter_up:
      for (size_t i = pixel; i < count; i++) filtered[i] = (uint8_t)(row[i] - above[i]);
      break;
    case filter_average:
      for (size_t i = pixel; i < count; i++)
        filtered[i] = (uint8_t)(row[i] - ((row[i - pixel] + above[i]) >> 1));
      break;
    default:
      for (size_t i = pixel; i < count; i++)
        filtered[i] = (uint8_t)(row[i] - paeth(row[i - pixel], above[i], above[i - pixel]));
      break;
  }
}

// Feeds all of `bytes`; the room behind is enough by what deflateBound said.
static int feed(z_stream *stream, const uint8_t *bytes, size_t count, int flush) {
  stream->next_in = (Bytef *)bytes;
  stream->avail_in = (uInt)count;
  int status = deflate(stream, flush);
  int is_done = flush == Z_FINISH ? status == Z_STREAM_END : status == Z_OK;
  return is_done && stream->avail_in == 0 && stream->avail_out > 0;
}

// What part of its length a sample of the rows takes, filtered in this way and compressed; above 1
// without memory. Sums of absolute values, the usual measure, and entropies choose worse.
static float trial(
    int type, const uint8_t *rows, size_t row_length, size_t pixel, uint32_t count,
    uint8_t *filtered) {
  enum { row_sample = 3072, sampled_rows = 4 };
  size_t length = row_length < row_sample ? row_length : row_sample;
  uint32_t last = count < sampled_rows + 1 ? count : sampled_rows + 1;
  // From the middle, whole pixels, and below a row that is there.
  size_t start = (row_length - length) / 2 / pixel * pixel;
  rows += (size_t)((count - last) / 2) * row_length + start;
  uint8_t room[2 * row_sample * sampled_rows];
  z_stream stream = {0};
  if (deflateInit2(&stream, 2, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 2;
  stream.next_out = room;
  stream.avail_out = sizeof room;
  int is_whole = 1;
  for (uint32_t row = 1; is_whole && row < last; row++) {
    const uint8_t *current = rows + (size_t)row * row_length;
    filter(type, current, current - row_length, length, pixel, filtered);
    is_whole = feed(&stream, filtered, length, Z_NO_FLUSH);
  }
  if (is_whole) is_whole = feed(&stream, filtered, 0, Z_FINISH);
  float part = is_whole ? (float)stream.total_out / ((float)length * (float)last) : 2;
  deflateEnd(&stream);
  return part;
}

uint8_t *cimg_compress_strip(
    const uint8_t *rows, const uint8_t *above, size_t row_length, size_t pixel_length,
    uint32_t count, int is_last, size_t *length, uint32_t *adler) {
  uint8_t *filtered = malloc(row_length + 1);
  if (!filtered) return NULL;
  static const float smooth = 0.25f;
  static const int filters[] = {filter_up, filter_average, filter_paeth};
  int type = filter_average;
  float least = 2;
  for (int i = 0; count > 1 && i < 3; i++) {
    float part = trial(filters[i], rows, row_length, pixel_length, count, filtered);
    if (part < least) type = filters[i], least = part;
  }
  // Measured on enlarged photographs: beyond level 2 zlib takes half as long again for 2 % where
  // there is much noise; smooth images gain a fifth at level 4, and are fast in any case. Its usual
  // level 6 takes six times as long for another 5 %.
  z_stream stream = {0};
  int level = least < smooth ? 4 : 2;
  if (deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    free(filtered);
    return NULL;
  }
  size_t total = (row_length + 1) * count;
  // The marker of a strip's end takes 5 bytes; the rest is for rounding.
  size_t room = deflateBound(&stream, total) + 64;
  uint8_t *bytes = malloc(room);
  int is_whole = bytes && room <= UINT32_MAX;
  stream.next_out = bytes;
  stream.avail_out = (uInt)room;
  uLong sum = adler32(0, NULL, 0);
  for (uint32_t row = 0; is_whole && row < count; row++) {
    const uint8_t *current = rows + (size_t)row * row_length;
    filtered[0] = (uint8_t)type;
    filter(type, current, above, row_length, pixel_length, filtered + 1);
    sum = adler32(sum, filtered, (uInt)(row_length + 1));
    is_whole = feed(&stream, filtered, row_length + 1, Z_NO_FLUSH);
    above = current;
  }
  if (is_whole) is_whole = feed(&stream, filtered, 0, is_last ? Z_FINISH : Z_SYNC_FLUSH);
  *length = stream.total_out;
  *adler = (uint32_t)sum;
  deflateEnd(&stream);
  free(filtered);
  if (is_whole) return bytes;
  free(bytes);
  return NULL;
}

uint32_t cimg_joined_adler(uint32_t first, uint32_t second, size_t length) {
  return (uint32_t)adler32_combine(first, second, (z_off_t)length);
}

uint32_t cimg_crc(uint32_t sum, const uint8_t *bytes, size_t length) {
  return (uint32_t)crc32_z(sum, bytes, length);
}
