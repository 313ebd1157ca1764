#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tiffio.h>

#include "reader.h"

// Nobody's image has more; and what one block of a file may take.
enum { most_samples = 8, most_block = 1 << 30 };

typedef struct {
  cimg_reader base;
  TIFF *tiff;
  // Where the library's words go; set by every call that may fail.
  cimg_error *error;
  // Whether rows are read, so that a warning may mean that some are missing.
  int is_decoding;
  uint32_t width, height, next_row;
  uint16_t samples, bits, format, photometric;
  int is_planar, is_tiled;
  // Which samples become channels of the result: colours, and alpha.
  int colors, alpha, is_associated;
  int channels, depth;
  uint32_t block_width, block_height, blocks_across;
  // One block as it is in the file, and a row of blocks as it is handed over.
  uint8_t *block, *band;
  size_t block_bytes, row_bytes;
  // A row's samples as numbers from 0 to the largest, or as they are where they are floats.
  float *values;
  // What a profile makes of inks, and a row of them; NULL without one.
  cimg_inks *inks;
  void *inked;
  uint32_t band_start, band_rows;
  uint16_t *palette[3];
  int palette_is_8;
  struct {
    const char *keyword;
    const char *text;
  } texts[8];
  uint32_t text_count;
} tiff_reader;

static int complain(TIFF *tiff, void *user, const char *module, const char *format, va_list list) {
  (void)tiff, (void)module;
  tiff_reader *reader = user;
  // The first complaint is the reason; what follows is its consequence.
  if (reader->error && !reader->error->text[0])
    vsnprintf(reader->error->text, sizeof reader->error->text, format, list);
  return 1;
}

// The library fills what a JPEG or a fax lacks and only warns: missing or broken data is an error here.
// Other warnings (unknown tags, odd counts) leave the image whole.
static int warn(TIFF *tiff, void *user, const char *module, const char *format, va_list list) {
  static const char *const damage[] = {
    "Premature end of JPEG",
    "Corrupt JPEG data",
    "Inconsistent progression",
    "Improper JPEG strip/tile size",
    "Bad code word",
    "Premature EOF",
    "Premature EOL",
    "Line length mismatch",
  };
  (void)tiff, (void)module;
  tiff_reader *reader = user;
  if (!reader->is_decoding || !reader->error || reader->error->text[0]) return 1;
  char text[sizeof reader->error->text];
  vsnprintf(text, sizeof text, format, list);
  for (size_t i = 0; i < sizeof damage / sizeof *damage; i++)
    if (strncmp(text, damage[i], strlen(damage[i])) == 0)
      memcpy(reader->error->text, text, sizeof text);
  return 1;
}

static int refuse(tiff_reader *reader, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(reader->error->text, sizeof reader->error->text, format, list);
  va_end(list);
  return -1;
}

static void close_tiff(cimg_reader *base) {
  tiff_reader *reader = (tiff_reader *)base;
  reader->error = NULL;
  if (reader->tiff) TIFFClose(reader->tiff);
  free(reader->block);
  free(reader->band);
  free(reader->values);
  free(reader->inked);
  cimg_close_inks(reader->inks);
  free(reader);
}

static float from_half(uint16_t half) {
  int exponent = half >> 10 & 31, mantissa = half & 1023;
  float value = exponent == 31 ? (mantissa ? NAN : INFINITY)
    : exponent ? ldexpf((float)(mantissa + 1024), exponent - 25)
    : ldexpf((float)mantissa, -24);
  return half & 0x8000 ? -value : value;
}

// `count` samples of a row, from the one at `first` on, `step` apart in `values`.
static void read_samples(
    const tiff_reader *reader, const uint8_t *row, size_t count, float *values, size_t step) {
  switch (reader->bits) {
    case 8:
      for (size_t i = 0; i < count; i++) values[i * step] = row[i];
      return;
    case 16: {
      const uint16_t *words = (const uint16_t *)(const void *)row;
      int is_float = reader->format == SAMPLEFORMAT_IEEEFP;
      for (size_t i = 0; i < count; i++)
        values[i * step] = is_float ? from_half(words[i]) : (float)words[i];
      return;
    }
    case 32: {
      if (reader->format == SAMPLEFORMAT_IEEEFP) {
        const float *numbers = (const float *)(const void *)row;
        for (size_t i = 0; i < count; i++) values[i * step] = numbers[i];
      } else {
        const uint32_t *words = (const uint32_t *)(const void *)row;
        for (size_t i = 0; i < count; i++) values[i * step] = (float)(words[i] / 4294967295.0);
      }
      return;
    }
    case 64: {
      const double *numbers = (const double *)(const void *)row;
      for (size_t i = 0; i < count; i++) values[i * step] = (float)numbers[i];
      return;
    }
    default: {
      // Packed, the highest bit first.
      size_t position = 0;
      for (size_t i = 0; i < count; i++) {
        uint32_t value = 0;
        for (int bit = 0; bit < reader->bits; bit++, position++)
          value = value << 1 | (row[position >> 3] >> (7 - (position & 7)) & 1);
        values[i * step] = (float)value;
      }
    }
  }
}

static inline void put(const tiff_reader *reader, uint8_t *target, float value) {
  if (reader->depth == 8) {
    *target = (uint8_t)(value + 0.5f);
  } else if (reader->depth == 16) {
    uint16_t word = (uint16_t)(value + 0.5f);
    memcpy(target, &word, sizeof word);
  } else {
    memcpy(target, &value, sizeof value);
  }
}

// A row of inks, by the profile.
static void convert_inks(const tiff_reader *reader, const float *values, uint8_t *target) {
  // Whole numbers, four for each pixel; colours come back in their place.
  uint8_t *bytes = reader->inked;
  uint16_t *words = reader->inked;
  float scale = reader->depth == 16 ? 65535.0f / (float)((1u << reader->bits) - 1) : 1;
  float small = 255.0f / (float)((1u << (reader->bits < 8 ? reader->bits : 8)) - 1);
  for (uint32_t x = 0; x < reader->width; x++)
    for (int c = 0; c < 4; c++) {
      float value = values[(size_t)x * reader->samples + c];
      if (reader->depth == 16) words[4 * x + c] = (uint16_t)(value * scale + 0.5f);
      else bytes[4 * x + c] = (uint8_t)(value * small + 0.5f);
    }
  size_t size = (size_t)reader->depth / 8, pixel = size * (size_t)reader->channels;
  // A row without alpha can be written where it belongs.
  uint8_t *colors = reader->alpha ? bytes + 4 * size * reader->width : target;
  cimg_convert_inks(reader->inks, reader->inked, colors, reader->width);
  if (!reader->alpha) return;
  for (uint32_t x = 0; x < reader->width; x++) {
    memcpy(target + x * pixel, colors + x * 3 * size, 3 * size);
    float alpha = values[(size_t)x * reader->samples + 4];
    if (reader->depth == 16) {
      uint16_t word = (uint16_t)(alpha * scale + 0.5f);
      memcpy(target + x * pixel + 3 * size, &word, sizeof word);
    } else {
      target[x * pixel + 3] = (uint8_t)(alpha * small + 0.5f);
    }
  }
}

// Inks of which alpha is a factor, as they are without it.
static void separate_alpha(const tiff_reader *reader, float *values) {
  float largest = reader->depth == 32 ? 1 : (float)((1u << reader->bits) - 1);
  for (uint32_t x = 0; x < reader->width; x++, values += reader->samples) {
    float alpha = values[4];
    for (int c = 0; c < 4; c++) {
      values[c] = alpha > 0 ? values[c] * largest / alpha : 0;
      if (values[c] > largest) values[c] = largest;
    }
  }
}

// A row's samples as they are handed over.
static void convert_row(const tiff_reader *reader, float *values, uint8_t *target) {
  if (reader->is_associated && reader->photometric == PHOTOMETRIC_SEPARATED)
    separate_alpha(reader, values);
  if (reader->inks) {
    convert_inks(reader, values, target);
    return;
  }
  size_t bytes = (size_t)reader->depth / 8;
  int is_float = reader->depth == 32;
  float largest = is_float ? 1 : (float)((1u << reader->bits) - 1);
  float full = reader->depth == 8 ? 255 : reader->depth == 16 ? 65535 : 1;
  float scale = full / largest;
  for (uint32_t x = 0; x < reader->width; x++, values += reader->samples) {
    float alpha = reader->alpha ? values[reader->colors] : largest;
    if (reader->photometric == PHOTOMETRIC_PALETTE) {
      size_t index = (size_t)values[0];
      for (int c = 0; c < 3; c++, target += bytes) {
        uint16_t entry = reader->palette[c][index];
        *target = (uint8_t)(reader->palette_is_8 ? entry : entry >> 8);
      }
    } else if (reader->photometric == PHOTOMETRIC_SEPARATED) {
      // Without a profile there is only the naive conversion.
      for (int c = 0; c < 3; c++, target += bytes)
        put(reader, target, (largest - values[c]) * (largest - values[3]) / largest * scale);
    } else {
      for (int c = 0; c < reader->colors; c++, target += bytes) {
        float value = values[c];
        if (reader->photometric == PHOTOMETRIC_MINISWHITE) value = largest - value;
        if (reader->is_associated) {
          // Of floats no more than what rounding to halves may have added is taken away.
          int is_rounded = !is_float || value <= alpha * (1 + 0x1p-9f);
          value = alpha > 0 ? value * largest / alpha : 0;
          if (is_rounded && value > largest) value = largest;
        }
        put(reader, target, value * scale);
      }
    }
    if (reader->alpha) {
      put(reader, target, alpha * scale);
      target += bytes;
    }
  }
}

// Whether a row lies in one block, so that rows of numbers need not wait for each other.
static int is_simple(const tiff_reader *reader) {
  return !reader->is_planar && reader->blocks_across == 1;
}

// Decodes the blocks that lie beside each other from `row` on.
static int load(tiff_reader *reader, uint32_t row) {
  uint32_t rows = reader->block_height;
  if (rows > reader->height - row) rows = reader->height - row;
  int planes = reader->is_planar ? reader->samples : 1;
  size_t step = reader->is_planar ? 1 : reader->samples;
  size_t stride = ((size_t)reader->block_width * step * reader->bits + 7) / 8;
  for (int plane = 0; plane < planes; plane++) {
    for (uint32_t across = 0; across < reader->blocks_across; across++) {
      uint32_t x = across * reader->block_width;
      tmsize_t read;
      reader->is_decoding = 1;
      if (reader->is_tiled) {
        uint32_t tile = TIFFComputeTile(reader->tiff, x, row, 0, (uint16_t)plane);
        read = TIFFReadEncodedTile(reader->tiff, tile, reader->block, (tmsize_t)reader->block_bytes);
      } else {
        uint32_t strip = TIFFComputeStrip(reader->tiff, row, (uint16_t)plane);
        read = TIFFReadEncodedStrip(
          reader->tiff, strip, reader->block, (tmsize_t)reader->block_bytes);
      }
      reader->is_decoding = 0;
      // Some errors are reported and then passed over.
      if (reader->error->text[0]) return -1;
      if (read < 0) return refuse(reader, "a block cannot be decoded");
      if ((size_t)read < stride * rows) return refuse(reader, "a block of row %u ends too early", row);
      uint32_t width = reader->block_width;
      if (width > reader->width - x) width = reader->width - x;
      for (uint32_t y = 0; y < rows; y++) {
        size_t kept = is_simple(reader) ? 0 : y;
        float *target = reader->values + (kept * reader->width + x) * reader->samples +
          (reader->is_planar ? plane : 0);
        read_samples(
          reader, reader->block + stride * y, (size_t)width * step, target,
          reader->is_planar ? reader->samples : 1);
        if (is_simple(reader))
          convert_row(reader, reader->values, reader->band + reader->row_bytes * y);
      }
    }
  }
  for (uint32_t y = 0; y < rows && !is_simple(reader); y++)
    convert_row(
      reader, reader->values + (size_t)y * reader->width * reader->samples,
      reader->band + reader->row_bytes * y);
  reader->band_start = row;
  reader->band_rows = rows;
  return 0;
}

static int read_tiff_rows(
    cimg_reader *base, uint8_t *rows, size_t stride, uint32_t count, cimg_error *error) {
  tiff_reader *reader = (tiff_reader *)base;
  reader->error = error;
  error->text[0] = 0;
  if (count > reader->height - reader->next_row)
    return refuse(
      reader, "%u rows asked for, %u left", count, reader->height - reader->next_row);
  // Taken when it is needed: the caller has seen the size, and could have refused it.
  if (!reader->block) {
    size_t band = reader->block_height < reader->height ? reader->block_height : reader->height;
    // Zeros: a codec may leave out a part of it and not say so.
    reader->block = calloc(1, reader->block_bytes);
    reader->band = malloc(band * reader->row_bytes);
    size_t rows_of_numbers = is_simple(reader) ? 1 : band;
    reader->values = malloc(rows_of_numbers * reader->width * reader->samples * sizeof(float));
    // Inks, and colours that are put among alpha.
    reader->inked = reader->inks ? malloc(7 * reader->width * (size_t)reader->depth / 8) : NULL;
    if (!reader->block || !reader->band || !reader->values ||
        (reader->inks && !reader->inked))
      return refuse(reader, "no memory");
  }
  for (uint32_t row = 0; row < count; row++, reader->next_row++) {
    if (reader->next_row >= reader->band_start + reader->band_rows &&
        load(reader, reader->next_row) != 0)
      return -1;
    memcpy(
      rows + (size_t)row * stride,
      reader->band + (size_t)(reader->next_row - reader->band_start) * reader->row_bytes,
      reader->row_bytes);
  }
  return 0;
}

static const uint8_t *tiff_comment(const cimg_reader *base, uint32_t position, size_t *length) {
  const tiff_reader *reader = (const tiff_reader *)base;
  if (position >= reader->text_count) return NULL;
  *length = strlen(reader->texts[position].text);
  return (const uint8_t *)reader->texts[position].text;
}

static const char *tiff_keyword(const cimg_reader *base, uint32_t position) {
  const tiff_reader *reader = (const tiff_reader *)base;
  return position < reader->text_count ? reader->texts[position].keyword : NULL;
}

// Tags of which nothing is carried; the library has a name for some of them only.
static void find_left_behind(const tiff_reader *reader, cimg_info *info) {
  static const struct {
    uint32_t tag;
    const char *words;
  } kinds[] = {
    {TIFFTAG_RICHTIFFIPTC, "IPTC data"}, {TIFFTAG_PHOTOSHOP, "Photoshop data"},
    {37724, "Photoshop layers"},         {TIFFTAG_GPSIFD, "GPS data"},
    {33550, "GeoTIFF data"},             {33922, "GeoTIFF data"},
    {34264, "GeoTIFF data"},             {34735, "GeoTIFF data"},
  };
  int count = TIFFGetTagListCount(reader->tiff);
  for (int i = 0; i < count; i++)
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
      if (TIFFGetTagListEntry(reader->tiff, i) == kinds[kind].tag)
        cimg_leave_behind(info, kinds[kind].words);
}

static void find_metadata(tiff_reader *reader, cimg_info *info) {
  static const struct {
    uint32_t tag;
    const char *keyword;
  } tags[] = {
    {TIFFTAG_IMAGEDESCRIPTION, "Description"}, {TIFFTAG_ARTIST, "Author"},
    {TIFFTAG_SOFTWARE, "Software"},            {TIFFTAG_COPYRIGHT, "Copyright"},
    {TIFFTAG_DOCUMENTNAME, "Title"},           {TIFFTAG_MAKE, "Source"},
  };
  for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
    char *text = NULL;
    if (!TIFFGetField(reader->tiff, tags[i].tag, &text) || !text || !text[0]) continue;
    reader->texts[reader->text_count].keyword = tags[i].keyword;
    reader->texts[reader->text_count++].text = text;
  }
  uint32_t length = 0;
  void *bytes = NULL;
  if (TIFFGetField(reader->tiff, TIFFTAG_ICCPROFILE, &length, &bytes) && length > 0) {
    reader->base.icc_profile = bytes;
    reader->base.icc_profile_length = length;
  }
  if (TIFFGetField(reader->tiff, TIFFTAG_XMLPACKET, &length, &bytes) && length > 0) {
    reader->base.xmp = bytes;
    reader->base.xmp_length = length;
  }
  toff_t directory = 0;
  if (TIFFGetField(reader->tiff, TIFFTAG_EXIFIFD, &directory)) cimg_leave_behind(info, "EXIF");
  find_left_behind(reader, info);
  float x = 0, y = 0;
  uint16_t unit = RESUNIT_NONE, orientation = 0;
  TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
  if (TIFFGetField(reader->tiff, TIFFTAG_XRESOLUTION, &x) &&
      TIFFGetField(reader->tiff, TIFFTAG_YRESOLUTION, &y)) {
    info->density_unit = unit == RESUNIT_INCH ? 1 : unit == RESUNIT_CENTIMETER ? 2 : 0;
    info->density_x = x;
    info->density_y = y;
  }
  if (TIFFGetField(reader->tiff, TIFFTAG_ORIENTATION, &orientation))
    info->orientation = orientation <= 8 ? orientation : 0;
}

// What one byte of compressed data can become.
static uint32_t largest_ratio(uint16_t compression) {
  switch (compression) {
    case COMPRESSION_NONE: return 1;
    case COMPRESSION_PACKBITS: return 64;
    case COMPRESSION_LZW: return 4096;
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE: return 1032;
    // A block of 64 samples of 8 bits takes a bit, or 1/16 of one where channels are subsampled.
    case COMPRESSION_JPEG: return 64 * 8 * 16;
    // A row of one colour takes a bit.
    default: return 1 << 16;
  }
}

// What is asked of the file, and what of it is not read.
static int set_up(tiff_reader *reader, cimg_info *info) {
  TIFF *tiff = reader->tiff;
  uint32_t subfile = 0;
  uint16_t compression = COMPRESSION_NONE, planar = PLANARCONFIG_CONTIG, count = 0, *extra = NULL;
  uint16_t sub_count = 0;
  void *sub = NULL;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &reader->bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &reader->samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &reader->format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &subfile);
  TIFFGetField(tiff, TIFFTAG_SUBIFD, &sub_count, &sub);
  if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &reader->width) ||
      !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &reader->height))
    return refuse(reader, "the image's size is missing");
  uint8_t *version = NULL;
  if (TIFFGetField(tiff, TIFFTAG_DNGVERSION, &version) ||
      (subfile & FILETYPE_REDUCEDIMAGE && sub_count > 0))
    return refuse(reader, "a camera's raw data; develop it with a raw converter");
  if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &reader->photometric))
    reader->photometric = reader->samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  if (!TIFFIsCODECConfigured(compression))
    return refuse(reader, "compression %u, which libtiff does not read", compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &extra);

  reader->is_planar = planar == PLANARCONFIG_SEPARATE && reader->samples > 1;
  info->is_palette = reader->photometric == PHOTOMETRIC_PALETTE;
  if (reader->photometric == PHOTOMETRIC_YCBCR) {
    if (compression != COMPRESSION_JPEG || reader->is_planar)
      return refuse(reader, "YCbCr that is not compressed as JPEG, which is not read");
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    reader->photometric = PHOTOMETRIC_RGB;
  }
  switch (reader->photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
      reader->colors = 1;
      break;
    case PHOTOMETRIC_RGB:
      reader->colors = 3;
      break;
    case PHOTOMETRIC_SEPARATED: {
      uint16_t inks = INKSET_CMYK;
      TIFFGetFieldDefaulted(tiff, TIFFTAG_INKSET, &inks);
      if (inks != INKSET_CMYK) return refuse(reader, "inks that are not CMYK, which are not read");
      reader->colors = 4;
      info->is_cmyk = 1;
      break;
    }
    case PHOTOMETRIC_CFA:
      return refuse(reader, "a camera's raw data; develop it with a raw converter");
    default:
      return refuse(
        reader, "colours of kind %u: gray, RGB, a palette or CMYK expected", reader->photometric);
  }
  if (reader->samples < reader->colors || reader->samples > most_samples)
    return refuse(
      reader, "%u samples a pixel: %d to %d expected", reader->samples, reader->colors,
      most_samples);
  int besides = reader->samples - reader->colors;
  reader->alpha = besides == 1 && count == 1 && extra[0] != EXTRASAMPLE_UNSPECIFIED;
  reader->is_associated = reader->alpha && extra[0] == EXTRASAMPLE_ASSOCALPHA;
  if (besides > 0 && !reader->alpha)
    return refuse(
      reader, "%u channels, of which %d are colours: images have 1 (gray) or 3 (RGB), and alpha",
      reader->samples, reader->colors);
  if (info->is_palette && reader->alpha)
    return refuse(reader, "a palette with alpha, which is not read");

  int is_float = reader->format == SAMPLEFORMAT_IEEEFP;
  if (reader->format != SAMPLEFORMAT_UINT && reader->format != SAMPLEFORMAT_VOID && !is_float)
    return refuse(reader, "signed or complex samples: unsigned integers or floats expected");
  int is_known = is_float ? reader->bits == 16 || reader->bits == 32 || reader->bits == 64
                          : (reader->bits >= 1 && reader->bits <= 16) || reader->bits == 32;
  if (!is_known || (info->is_palette && (is_float || reader->bits > 8)))
    return refuse(reader, "samples of %u bits, which are not read", reader->bits);
  reader->depth = is_float || reader->bits == 32 ? 32 : reader->bits <= 8 ? 8 : 16;
  if (info->is_palette) {
    if (!TIFFGetField(
          tiff, TIFFTAG_COLORMAP, &reader->palette[0], &reader->palette[1], &reader->palette[2]))
      return refuse(reader, "the palette is missing");
    // Some writers leave the lower bytes in the place of the higher.
    reader->palette_is_8 = 1;
    for (int c = 0; c < 3; c++)
      for (int i = 0; i < 1 << reader->bits; i++)
        if (reader->palette[c][i] > 255) reader->palette_is_8 = 0;
  }
  reader->channels =
    (info->is_palette || info->is_cmyk ? 3 : reader->colors) + (reader->alpha ? 1 : 0);

  reader->is_tiled = TIFFIsTiled(tiff);
  reader->block_width = reader->width;
  uint32_t blocks;
  if (reader->is_tiled) {
    if (!TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &reader->block_width) ||
        !TIFFGetField(tiff, TIFFTAG_TILELENGTH, &reader->block_height) || !reader->block_width ||
        !reader->block_height)
      return refuse(reader, "the size of its tiles is missing");
    reader->block_bytes = (size_t)TIFFTileSize(tiff);
    blocks = TIFFNumberOfTiles(tiff);
  } else {
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &reader->block_height);
    if (!reader->block_height) return refuse(reader, "strips of no rows");
    if (reader->block_height > reader->height) reader->block_height = reader->height;
    reader->block_bytes = (size_t)TIFFStripSize(tiff);
    blocks = TIFFNumberOfStrips(tiff);
  }
  if (!reader->width || !reader->height || !reader->block_height)
    return refuse(reader, "%ux%u pixels", reader->width, reader->height);
  reader->blocks_across = (reader->width - 1) / reader->block_width + 1;
  reader->row_bytes = (size_t)reader->width * reader->channels * (reader->depth / 8);
  // What the library makes of a block must be what is read from it here.
  uint32_t across = reader->is_planar ? 1 : reader->samples;
  size_t stride = ((size_t)reader->block_width * across * reader->bits + 7) / 8;
  if (!reader->block_bytes || reader->block_bytes > most_block ||
      reader->block_bytes / reader->block_height < stride)
    return refuse(
      reader, "blocks of %ux%u pixels, which are not read", reader->block_width,
      reader->block_height);

  uint64_t stored = 0;
  for (uint32_t i = 0; i < blocks; i++)
    stored += TIFFGetStrileByteCount(tiff, i);
  info->compressed_bytes = stored;
  info->largest_ratio = largest_ratio(compression);
  uint32_t band = reader->block_height < reader->height ? reader->block_height : reader->height;
  info->held_bytes = reader->block_bytes + (uint64_t)band * reader->row_bytes +
    (uint64_t)(is_simple(reader) ? 1 : band) * reader->width * reader->samples * sizeof(float);
  info->width = reader->width;
  info->height = reader->height;
  info->channels = reader->channels;
  info->bit_depth = reader->depth;
  info->stored_bit_depth = reader->bits;
  return 0;
}

cimg_reader *cimg_open_tiff(
    int descriptor, uint32_t page, cimg_info *info, cimg_error *error) {
  memset(info, 0, sizeof *info);
  error->text[0] = 0;
  tiff_reader *reader = calloc(1, sizeof *reader);
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  int copy = dup(descriptor);
  if (!reader || !options || copy < 0 || lseek(copy, 0, SEEK_SET) != 0) {
    snprintf(error->text, sizeof error->text, "%s", errno ? strerror(errno) : "no memory");
    if (copy >= 0) close(copy);
    if (options) TIFFOpenOptionsFree(options);
    free(reader);
    return NULL;
  }
  reader->base.read_rows = read_tiff_rows;
  reader->base.close = close_tiff;
  reader->base.comment = tiff_comment;
  reader->base.keyword = tiff_keyword;
  reader->error = error;
  TIFFOpenOptionsSetErrorHandlerExtR(options, complain, reader);
  TIFFOpenOptionsSetWarningHandlerExtR(options, warn, reader);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, most_block);
  // By reading, not by mapping: a file that is truncated meanwhile would end the program.
  reader->tiff = TIFFFdOpenExt(copy, "image", "rm", options);
  TIFFOpenOptionsFree(options);
  if (!reader->tiff) {
    close(copy);
    if (!error->text[0]) snprintf(error->text, sizeof error->text, "no TIFF directory");
    close_tiff(&reader->base);
    return NULL;
  }
  uint32_t pages = TIFFNumberOfDirectories(reader->tiff);
  if (page >= pages) {
    snprintf(error->text, sizeof error->text, "page %u asked for, there are %u", page + 1, pages);
  } else if (!TIFFSetDirectory(reader->tiff, (tdir_t)page)) {
    if (!error->text[0]) snprintf(error->text, sizeof error->text, "page %u cannot be read", page + 1);
  } else {
    error->text[0] = 0;
    if (set_up(reader, info) == 0) {
      find_metadata(reader, info);
      if (info->is_cmyk && reader->depth <= 16) {
        reader->inks = cimg_open_inks(
          reader->base.icc_profile, reader->base.icc_profile_length, reader->depth, 0);
        info->is_by_profile = reader->inks != NULL;
      }
      info->pages = pages;
      return &reader->base;
    }
  }
  close_tiff(&reader->base);
  return NULL;
}
