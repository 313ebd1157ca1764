#include "reader.h"

int cimg_read_rows(
    cimg_reader *reader, uint8_t *rows, size_t stride, uint32_t count, cimg_error *error) {
  return reader->read_rows(reader, rows, stride, count, error);
}

const uint8_t *cimg_exif(const cimg_reader *reader, size_t *length) {
  *length = reader->exif_length;
  return reader->exif;
}

const uint8_t *cimg_icc_profile(const cimg_reader *reader, size_t *length) {
  *length = reader->icc_profile_length;
  return reader->icc_profile;
}

const uint8_t *cimg_xmp(const cimg_reader *reader, size_t *length) {
  *length = reader->xmp_length;
  return reader->xmp;
}

const uint8_t *cimg_comment(const cimg_reader *reader, uint32_t position, size_t *length) {
  return reader->comment ? reader->comment(reader, position, length) : NULL;
}

void cimg_close(cimg_reader *reader) { reader->close(reader); }
