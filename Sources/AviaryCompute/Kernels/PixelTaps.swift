import AviaryGraph

#if canImport(Glibc)
  import Glibc
#endif

/// Of which input pixels along an axis each output pixel is made, and with what weights.
struct PixelTaps {
  /// How many taps each output pixel has: the same number for all, some with weight 0.
  let count: Int
  /// Those of output pixel o from `o · count` on.
  private(set) var positions: [Int] = []
  private(set) var weights: [Float] = []

  init(_ resize: Resize, from size: Int, to newSize: Int) {
    // Input pixels per output pixel, as a fraction, so that nothing is rounded before the nearest
    // pixel is chosen. A factor is what it says also where the size is rounded down.
    let (above, below) =
      switch (resize.coordinates, resize.target) {
      case (.alignCorners, _): newSize > 1 ? (size - 1, newSize - 1) : (0, 1)
      case (_, .factor(let factor)): (factor.denominator, factor.numerator)
      case (_, .sizeOfSecondInput): (size, newSize)
      }
    if case .nearest = resize.kernel {
      count = 1
      positions = (0..<newSize).map { output in
        // PyTorch's 'nearest' takes the pixel in which an asymmetric coordinate lies; its
        // 'nearest-exact', and everybody's aligned corners, the pixel whose centre is nearest.
        let nearest =
          switch resize.coordinates {
          case .asymmetric: output * above / below
          case .halfPixel: (2 * output + 1) * above / (2 * below)
          case .alignCorners: (2 * output * above + below) / (2 * below)
          }
        return resize.inside(nearest, size)
      }
      weights = [Float](repeating: 1, count: newSize)
      return
    }
    let step = Double(above) / Double(below)
    let shift = resize.coordinates == .halfPixel ? 0.5 * step - 0.5 : 0
    let widening = resize.antialias ? max(step, 1) : 1
    let reach = resize.support * widening
    // The kernel is 0 at its ends: so many integers lie strictly between them.
    count = Int((2 * reach).rounded(.up))
    positions.reserveCapacity(newSize * count)
    weights.reserveCapacity(newSize * count)
    for output in 0..<newSize {
      let place = Double(output) * step + shift
      let first = Int((place - reach).rounded(.down)) + 1
      let parts = (first..<first + count).map {
        resize.weight((place - Double($0)) / widening)
      }
      // Weights are made to sum to 1, as MATLAB, PIL and PyTorch do.
      let sum = parts.reduce(0, +)
      for (i, part) in parts.enumerated() {
        positions.append(resize.inside(first + i, size))
        weights.append(Float(part / sum))
      }
    }
  }
}

extension Resize {
  /// The pixel that stands for one beyond the edges.
  fileprivate func inside(_ position: Int, _ size: Int) -> Int {
    switch edge {
    case .edge: return min(max(position, 0), size - 1)
    case .symmetric:
      let period = ((position % (2 * size)) + 2 * size) % (2 * size)
      return period < size ? period : 2 * size - 1 - period
    }
  }

  /// The distance from which on the kernel is 0.
  fileprivate var support: Double {
    switch kernel {
    case .nearest: 0.5
    case .linear: 1
    case .cubic: 2
    case .lanczos(let lobes): Double(lobes)
    }
  }

  /// The kernel at a distance.
  fileprivate func weight(_ distance: Double) -> Double {
    let x = distance.magnitude
    guard x < support else { return 0 }
    switch kernel {
    case .nearest: return 1
    case .linear: return 1 - x
    case .cubic(let a):
      return x < 1
        ? ((a + 2) * x - (a + 3)) * x * x + 1 : a * (((x - 5) * x + 8) * x - 4)
    case .lanczos(let lobes): return sinc(x) * sinc(x / Double(lobes))
    }
  }

  private func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
}
