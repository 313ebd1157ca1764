// A square of numbers turned about, for registers of 16 numbers. Included by the ways of other files,
// which say what WAY, TARGET, LANES, vec and INLINE are.

#if LANES == 16
/// Makes rows of columns, in four rounds that each put blocks of twice the size side by side.
INLINE void WAY(transpose)(vec *v) {
  vec t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28,
                                   13, 29);
    t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27,
                                       14, 30, 15, 31);
  }
  for (int i = 0; i < 16; i += 4) {
    for (int k = 0; k < 2; k++) {
      const vec a = t[i + k], b = t[i + 2 + k];
      v[i + 2 * k] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13,
                                             28, 29);
      v[i + 2 * k + 1] = __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27,
                                                 14, 15, 30, 31);
    }
  }
  for (int k = 0; k < 4; k++) {
    vec p[4];
    for (int i = 0; i < 2; i++) {
      const vec a = v[8 * i + k], b = v[8 * i + 4 + k];
      p[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
      p[2 + i] = __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29,
                                         30, 31);
    }
    for (int i = 0; i < 2; i++) {
      const vec a = p[2 * i], b = p[2 * i + 1];
      t[8 * i + k] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25,
                                             26, 27);
      t[8 * i + 4 + k] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                                 28, 29, 30, 31);
    }
  }
  for (int i = 0; i < 16; i++) v[i] = t[i];
}
#endif
