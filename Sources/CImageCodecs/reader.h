// What readers have in common, and writers: the first member of each.
#pragma once
#include "CImageCodecs.h"

struct cimg_reader {
  int (*read_rows)(cimg_reader *, uint8_t *rows, size_t stride, uint32_t count, cimg_error *);
  void (*close)(cimg_reader *);
  // NULL where the format has no comments.
  const uint8_t *(*comment)(const cimg_reader *, uint32_t position, size_t *length);
  // NULL where comments are about nothing in particular.
  const char *(*keyword)(const cimg_reader *, uint32_t position);
  const uint8_t *exif;
  size_t exif_length;
  const uint8_t *icc_profile;
  size_t icc_profile_length;
  const uint8_t *xmp;
  size_t xmp_length;
  const uint8_t *iptc;
  size_t iptc_length;
};

// Adds to what of a file is not carried, once: words such as "EXIF", joined by commas.
void cimg_leave_behind(cimg_info *info, const char *words);

// The way from inks to sRGB that an ICC profile describes.
typedef struct cimg_inks cimg_inks;

// For samples of 8 or 16 bits, of which inverted ones are 0 where there is most ink. NULL for a profile of
// other colours, damage, and without memory.
cimg_inks *cimg_open_inks(const uint8_t *profile, size_t length, int bits, int is_inverted);

// A row of cyan, magenta, yellow and black to red, green and blue of the same depth.
void cimg_convert_inks(const cimg_inks *inks, const void *cmyk, void *rgb, uint32_t width);

void cimg_close_inks(cimg_inks *inks);

struct cimg_writer {
  int (*write_metadata)(
    cimg_writer *, int kind, const char *keyword, const uint8_t *, size_t, cimg_error *);
  int (*write_rows)(cimg_writer *, const uint8_t *rows, uint32_t count, cimg_error *);
  int (*finish)(cimg_writer *, cimg_error *);
  void (*abandon)(cimg_writer *);
};
