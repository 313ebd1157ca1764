#include <stdio.h>
#include <string.h>

#include "reader.h"

void cimg_leave_behind(cimg_info *info, const char *words) {
  if (strstr(info->left_behind, words)) return;
  size_t length = strlen(info->left_behind);
  snprintf(
    info->left_behind + length, sizeof info->left_behind - length, "%s%s", length > 0 ? ", " : "",
    words);
}

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

const uint8_t *cimg_iptc(const cimg_reader *reader, size_t *length) {
  *length = reader->iptc_length;
  return reader->iptc;
}

const uint8_t *cimg_comment(const cimg_reader *reader, uint32_t position, size_t *length) {
  return reader->comment ? reader->comment(reader, position, length) : NULL;
}

const char *cimg_keyword(const cimg_reader *reader, uint32_t position) {
  return reader->keyword ? reader->keyword(reader, position) : NULL;
}

void cimg_close(cimg_reader *reader) { reader->close(reader); }

int cimg_write_metadata(
    cimg_writer *writer, int kind, const char *keyword, const uint8_t *bytes, size_t length,
    cimg_error *error) {
  return writer->write_metadata(writer, kind, keyword, bytes, length, error);
}

int cimg_write_rows(
    cimg_writer *writer, const uint8_t *rows, uint32_t count, cimg_error *error) {
  return writer->write_rows(writer, rows, count, error);
}

int cimg_finish(cimg_writer *writer, cimg_error *error) { return writer->finish(writer, error); }

void cimg_abandon(cimg_writer *writer) { writer->abandon(writer); }
