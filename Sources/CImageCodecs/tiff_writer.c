#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tiffio.h>

#include "reader.h"

typedef struct {
  cimg_writer base;
  TIFF *tiff;
  // Where the library's words go; set by every call that may fail.
  cimg_error *error;
  // A row that the library may change: it makes differences in place.
  uint8_t *row;
  size_t row_bytes;
  uint32_t next_row;
} tiff_writer;

static int complain(TIFF *tiff, void *user, const char *module, const char *format, va_list list) {
  (void)tiff, (void)module;
  tiff_writer *writer = user;
  if (writer->error && !writer->error->text[0])
    vsnprintf(writer->error->text, sizeof writer->error->text, format, list);
  return 1;
}

static int hush(TIFF *tiff, void *user, const char *module, const char *format, va_list list) {
  (void)tiff, (void)user, (void)module, (void)format, (void)list;
  return 1;
}

static void abandon(cimg_writer *base) {
  tiff_writer *writer = (tiff_writer *)base;
  writer->error = NULL;
  if (writer->tiff) TIFFClose(writer->tiff);
  free(writer->row);
  free(writer);
}

// What the system says of a failure, rather than the library, which gives a number at most.
static int failed(tiff_writer *writer, int reason) {
  // A write that came short has no reason; one byte more gives it.
  if (reason == 0 && writer->tiff) {
    uint8_t byte = 0;
    int descriptor = TIFFFileno(writer->tiff);
    if (lseek(descriptor, 0, SEEK_END) >= 0 && write(descriptor, &byte, 1) < 0) reason = errno;
  }
  if (reason == ENOSPC || reason == EFBIG || reason == EDQUOT || reason == EIO)
    snprintf(writer->error->text, sizeof writer->error->text, "%s", strerror(reason));
  else if (!writer->error->text[0])
    snprintf(writer->error->text, sizeof writer->error->text, "libtiff cannot write it");
  return -1;
}

static int write_metadata(
    cimg_writer *base, int kind, const char *keyword, const uint8_t *bytes, size_t length,
    cimg_error *error) {
  static const struct {
    const char *keyword;
    uint32_t tag;
  } tags[] = {
    {"Description", TIFFTAG_IMAGEDESCRIPTION}, {"Comment", TIFFTAG_IMAGEDESCRIPTION},
    {"Author", TIFFTAG_ARTIST},                {"Software", TIFFTAG_SOFTWARE},
    {"Copyright", TIFFTAG_COPYRIGHT},          {"Title", TIFFTAG_DOCUMENTNAME},
    {"Source", TIFFTAG_MAKE},
  };
  tiff_writer *writer = (tiff_writer *)base;
  writer->error = error;
  error->text[0] = 0;
  switch (kind) {
    case cimg_kind_icc:
      return TIFFSetField(writer->tiff, TIFFTAG_ICCPROFILE, (uint32_t)length, bytes) ? 0 : 1;
    case cimg_kind_xmp:
      return TIFFSetField(writer->tiff, TIFFTAG_XMLPACKET, (uint32_t)length, bytes) ? 0 : 1;
    case cimg_kind_comment: break;
    default: return 1;
  }
  for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
    char *present = NULL;
    if (strcmp(tags[i].keyword, keyword) != 0) continue;
    // The first of two stays.
    if (TIFFGetField(writer->tiff, tags[i].tag, &present) && present) return 1;
    char *text = malloc(length + 1);
    if (!text) return failed(writer, 0);
    memcpy(text, bytes, length);
    text[length] = 0;
    int status = TIFFSetField(writer->tiff, tags[i].tag, text) ? 0 : 1;
    free(text);
    return status;
  }
  return 1;
}

static int write_rows(
    cimg_writer *base, const uint8_t *rows, uint32_t count, cimg_error *error) {
  tiff_writer *writer = (tiff_writer *)base;
  writer->error = error;
  error->text[0] = 0;
  for (uint32_t y = 0; y < count; y++) {
    memcpy(writer->row, rows + y * writer->row_bytes, writer->row_bytes);
    errno = 0;
    if (TIFFWriteScanline(writer->tiff, writer->row, writer->next_row++, 0) < 0)
      return failed(writer, errno);
  }
  return 0;
}

static int finish(cimg_writer *base, cimg_error *error) {
  tiff_writer *writer = (tiff_writer *)base;
  writer->error = error;
  error->text[0] = 0;
  errno = 0;
  // What closing does as well, but closing does not say whether it worked.
  if (!TIFFFlush(writer->tiff)) return failed(writer, errno);
  TIFFClose(writer->tiff);
  writer->tiff = NULL;
  return error->text[0] ? failed(writer, errno) : 0;
}

static int begin(tiff_writer *writer, const cimg_target *target) {
  TIFF *tiff = writer->tiff;
  int has_alpha = target->channels % 2 == 0;
  uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
  writer->row_bytes = (size_t)target->width * target->channels * (target->bit_depth / 8);
  writer->row = malloc(writer->row_bytes);
  if (!writer->row) return 0;
  // Strips of about 256 KiB, as many rows as that makes.
  uint32_t rows = (uint32_t)((1 << 18) / writer->row_bytes);
  int is_set = TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, target->width) &&
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, target->height) &&
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, target->channels) &&
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, target->bit_depth) &&
    TIFFSetField(
      tiff, TIFFTAG_SAMPLEFORMAT,
      target->bit_depth == 32 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT) &&
    TIFFSetField(
      tiff, TIFFTAG_PHOTOMETRIC,
      target->channels < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB) &&
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT) &&
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows > 0 ? rows : 1) &&
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE) &&
    TIFFSetField(
      tiff, TIFFTAG_PREDICTOR,
      target->bit_depth == 32 ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL);
  if (is_set && has_alpha) is_set = TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha);
  if (is_set && target->density_x > 0 && target->density_y > 0)
    is_set = TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER) &&
      TIFFSetField(tiff, TIFFTAG_XRESOLUTION, target->density_x / 100) &&
      TIFFSetField(tiff, TIFFTAG_YRESOLUTION, target->density_y / 100);
  return is_set;
}

cimg_writer *cimg_create_tiff(int descriptor, const cimg_target *target, cimg_error *error) {
  error->text[0] = 0;
  tiff_writer *writer = calloc(1, sizeof *writer);
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  int copy = dup(descriptor);
  if (!writer || !options || copy < 0) {
    snprintf(error->text, sizeof error->text, "%s", copy < 0 ? strerror(errno) : "no memory");
    if (copy >= 0) close(copy);
    if (options) TIFFOpenOptionsFree(options);
    free(writer);
    return NULL;
  }
  writer->base.write_metadata = write_metadata;
  writer->base.write_rows = write_rows;
  writer->base.finish = finish;
  writer->base.abandon = abandon;
  writer->error = error;
  TIFFOpenOptionsSetErrorHandlerExtR(options, complain, writer);
  TIFFOpenOptionsSetWarningHandlerExtR(options, hush, writer);
  // Offsets of 64 bits where 32 might not reach.
  uint64_t most = (uint64_t)target->width * target->height * (uint64_t)target->channels *
    (uint64_t)(target->bit_depth / 8);
  writer->tiff = TIFFFdOpenExt(copy, "image", most > 3900000000u ? "w8" : "w", options);
  TIFFOpenOptionsFree(options);
  if (!writer->tiff) {
    close(copy);
  } else if (begin(writer, target)) {
    return &writer->base;
  }
  if (!error->text[0]) snprintf(error->text, sizeof error->text, "libtiff cannot write it");
  abandon(&writer->base);
  return NULL;
}
