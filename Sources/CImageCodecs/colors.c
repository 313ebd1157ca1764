#include <math.h>
#include <stdlib.h>

#include <lcms2.h>

#include "reader.h"

struct cimg_colors {
  cmsContext context;
  // To sRGB, and back.
  cmsHTRANSFORM transforms[2];
};

// Floats, a plane for each of red, green and blue.
#define PLANES \
  (FLOAT_SH(1) | COLORSPACE_SH(PT_RGB) | CHANNELS_SH(3) | BYTES_SH(4) | PLANAR_SH(1))

static void hush(cmsContext context, cmsUInt32Number code, const char *text) {
  (void)context, (void)code, (void)text;
}

void cimg_close_colors(cimg_colors *colors) {
  if (!colors) return;
  for (int i = 0; i < 2; i++)
    if (colors->transforms[i]) cmsDeleteTransform(colors->transforms[i]);
  if (colors->context) cmsDeleteContext(colors->context);
  free(colors);
}

void cimg_convert_colors(
  const cimg_colors *colors, int is_back, float *planes, size_t width, size_t height) {
  // A row at a time: the library counts a plane's bytes in 32 bits where it is told none.
  size_t plane = width * height;
  for (size_t row = 0; row < height; row++)
    cmsDoTransformLineStride(
      colors->transforms[is_back != 0], planes + row * width, planes + row * width,
      (cmsUInt32Number)width, 1, 0, 0, (cmsUInt32Number)(plane * sizeof *planes),
      (cmsUInt32Number)(plane * sizeof *planes));
}

// How far colours of a grid are moved at most by going there, and by going there and back.
static void measure(const cimg_colors *colors, double *deviation, double *loss) {
  enum { steps = 6, count = steps * steps * steps };
  float before[3 * count], there[3 * count];
  for (int i = 0; i < count; i++) {
    before[i] = (float)(i % steps) / (steps - 1);
    before[count + i] = (float)(i / steps % steps) / (steps - 1);
    before[2 * count + i] = (float)(i / steps / steps) / (steps - 1);
  }
  for (int i = 0; i < 3 * count; i++) there[i] = before[i];
  *deviation = *loss = 0;
  for (int back = 0; back < 2; back++) {
    cimg_convert_colors(colors, back, there, count, 1);
    double most = 0;
    for (int i = 0; i < 3 * count; i++) {
      double moved = fabs((double)there[i] - before[i]);
      // NaN is as far as can be.
      most = moved <= most ? most : isfinite(moved) ? moved : INFINITY;
    }
    *(back ? loss : deviation) = most;
  }
}

cimg_colors *cimg_open_colors(
  const uint8_t *profile, size_t length, double *deviation, double *loss) {
  cimg_colors *colors = calloc(1, sizeof *colors);
  if (!colors || length == 0 || length > 1 << 24) {
    free(colors);
    return NULL;
  }
  colors->context = cmsCreateContext(NULL, NULL);
  cmsHPROFILE source = NULL, target = NULL;
  if (colors->context) {
    cmsSetLogErrorHandlerTHR(colors->context, hush);
    source = cmsOpenProfileFromMemTHR(colors->context, profile, (cmsUInt32Number)length);
    target = cmsCreate_sRGBProfileTHR(colors->context);
  }
  if (source && target && cmsGetColorSpace(source) == cmsSigRgbData) {
    cmsUInt32Number flags = cmsFLAGS_NOCACHE | cmsFLAGS_NOOPTIMIZE;
    colors->transforms[0] = cmsCreateTransformTHR(
      colors->context, source, PLANES, target, PLANES, INTENT_RELATIVE_COLORIMETRIC, flags);
    colors->transforms[1] = cmsCreateTransformTHR(
      colors->context, target, PLANES, source, PLANES, INTENT_RELATIVE_COLORIMETRIC, flags);
  }
  if (source) cmsCloseProfile(source);
  if (target) cmsCloseProfile(target);
  if (colors->transforms[0] && colors->transforms[1]) {
    measure(colors, deviation, loss);
    return colors;
  }
  cimg_close_colors(colors);
  return NULL;
}
