import Glibc

/// The interpolation kernels of MATLAB's `imresize`.
public enum ResamplingKernel: String, CaseIterable, Codable, Hashable, Sendable {
  /// The nearest pixel (never antialiased).
  case nearest
  case bilinear
  /// Keys' cubic convolution with a = -0.5 (Keys 1981).
  case bicubic
  /// Lanczos' windowed sinc with three lobes.
  case lanczos3

  /// How wide the kernel is, in pixels, when it enlarges.
  var width: Double {
    switch self {
    case .nearest: 1
    case .bilinear: 2
    case .bicubic: 4
    case .lanczos3: 6
    }
  }

  /// The kernel's value. The terms stand in the order in which MATLAB computes them: results are
  /// compared to the bit.
  func value(_ x: Double) -> Double {
    let distance = abs(x)
    switch self {
    case .nearest:
      return -0.5 <= x && x < 0.5 ? 1 : 0
    case .bilinear:
      return distance <= 1 ? 1 - distance : 0
    case .bicubic:
      let square = distance * distance
      let cube = square * distance
      if distance <= 1 { return 1.5 * cube - 2.5 * square + 1 }
      if distance <= 2 { return -0.5 * cube + 2.5 * square - 4 * distance + 2 }
      return 0
    case .lanczos3:
      guard distance < 3 else { return 0 }
      // The smallest step above 1 keeps 0/0 away, as in MATLAB.
      let tiny = Double.ulpOfOne
      return (sin(.pi * x) * sin(.pi * x / 3) + tiny) / (.pi * .pi * x * x / 3 + tiny)
    }
  }
}
