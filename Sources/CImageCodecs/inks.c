#include <stdlib.h>

#include <lcms2.h>

#include "reader.h"

struct cimg_inks {
  cmsContext context;
  cmsHTRANSFORM transform;
};

static void hush(cmsContext context, cmsUInt32Number code, const char *text) {
  (void)context, (void)code, (void)text;
}

void cimg_close_inks(cimg_inks *inks) {
  if (!inks) return;
  if (inks->transform) cmsDeleteTransform(inks->transform);
  if (inks->context) cmsDeleteContext(inks->context);
  free(inks);
}

cimg_inks *cimg_open_inks(const uint8_t *profile, size_t length, int bits, int is_inverted) {
  cimg_inks *inks = calloc(1, sizeof *inks);
  if (!inks || length == 0 || length > 1 << 24) {
    free(inks);
    return NULL;
  }
  // A context of its own: images are read on several threads.
  inks->context = cmsCreateContext(NULL, NULL);
  cmsHPROFILE source = NULL, target = NULL;
  if (inks->context) {
    cmsSetLogErrorHandlerTHR(inks->context, hush);
    source = cmsOpenProfileFromMemTHR(inks->context, profile, (cmsUInt32Number)length);
    target = cmsCreate_sRGBProfileTHR(inks->context);
  }
  // Profiles of other colours stand in files of inks, too, and say nothing about them.
  if (source && target && cmsGetColorSpace(source) == cmsSigCmykData) {
    cmsUInt32Number inked = bits == 8 ? TYPE_CMYK_8 : TYPE_CMYK_16;
    if (is_inverted) inked |= FLAVOR_SH(1);
    inks->transform = cmsCreateTransformTHR(
      inks->context, source, inked, target, bits == 8 ? TYPE_RGB_8 : TYPE_RGB_16,
      INTENT_PERCEPTUAL, cmsFLAGS_NOCACHE);
  }
  if (source) cmsCloseProfile(source);
  if (target) cmsCloseProfile(target);
  if (inks->transform) return inks;
  cimg_close_inks(inks);
  return NULL;
}

void cimg_convert_inks(const cimg_inks *inks, const void *cmyk, void *rgb, uint32_t width) {
  cmsDoTransform(inks->transform, cmyk, rgb, width);
}
