// What the two readers have in common: the first member of each.
#pragma once
#include "CImageCodecs.h"

struct cimg_reader {
  int (*read_rows)(cimg_reader *, uint8_t *rows, size_t stride, uint32_t count, cimg_error *);
  void (*close)(cimg_reader *);
  // NULL where the format has no comments.
  const uint8_t *(*comment)(const cimg_reader *, uint32_t position, size_t *length);
  const uint8_t *exif;
  size_t exif_length;
  const uint8_t *icc_profile;
  size_t icc_profile_length;
  const uint8_t *xmp;
  size_t xmp_length;
};
