internal import AviaryGraph

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension OperationRow {
  package static let resize: [OperationRow] = [
    .init(
      .resize(Resize(.nearest, to: .factor(Ratio(2)))), #"{"factor":2,"kernel":"nearest"}"#,
      [1, 3, 4, 5], gives: [1, 3, 8, 10]),
    // Sizes are rounded down.
    .init(
      .resize(
        Resize(
          .cubic(a: -0.75), to: .factor(Ratio(3, 2)), coordinates: .alignCorners, edge: .symmetric,
          antialias: true)),
      #"{"a":-0.75,"antialias":true,"coordinates":"align-corners","#
        + #""edge":"symmetric","factor":[3,2],"kernel":"cubic"}"#, [1, 3, 5, 6],
      gives: [1, 3, 7, 9]),
    .init(
      .resize(Resize(.lanczos(lobes: 3), to: .factor(Ratio(1, 2)))),
      #"{"factor":[1,2],"kernel":"lanczos","lobes":3}"#, [1, 3, 5, 6], gives: [1, 3, 2, 3]),
    .init(
      .resize(Resize(.linear, to: .sizeOfSecondInput, coordinates: .asymmetric)),
      #"{"coordinates":"asymmetric","kernel":"linear"}"#, [2, 3, 5, 6], [2, 9, 11, 4],
      gives: [2, 3, 11, 4]),
  ]
}

/// Interpolation, rows first and columns after; weights are made to sum to 1.
func naiveResize(_ x: NaiveArray, _ resize: Resize, height: Int, width: Int) -> NaiveArray {
  let (oldHeight, oldWidth) = (x.shape[2], x.shape[3])
  let rows = resize.taps(from: oldHeight, to: height)
  let columns = resize.taps(from: oldWidth, to: width)
  var result: [Double] = []
  for plane in 0..<x.shape[0] * x.shape[1] {
    for row in rows {
      let mixed = (0..<oldWidth).map { column in
        row.reduce(0.0) { sum, tap in
          sum
            + tap.weight * x.values[(plane * oldHeight + tap.position) * oldWidth + column]
        }
      }
      for column in columns {
        result.append(column.reduce(0.0) { $0 + $1.weight * mixed[$1.position] })
      }
    }
  }
  return NaiveArray([x.shape[0], x.shape[1], height, width], result)
}

/// An input pixel along an axis, and its part in an output pixel.
private struct Tap {
  var position: Int
  var weight: Double
}

extension Resize {
  /// What each of `newSize` output pixels is made of.
  fileprivate func taps(from size: Int, to newSize: Int) -> [[Tap]] {
    // Input pixels per output pixel, as a fraction, so that nothing is rounded before the nearest
    // pixel is chosen. A factor is what it says also where the size was rounded down.
    let (above, below) =
      switch (coordinates, target) {
      case (.alignCorners, _): newSize > 1 ? (size - 1, newSize - 1) : (0, 1)
      case (_, .factor(let factor)): (factor.denominator, factor.numerator)
      case (_, .sizeOfSecondInput): (size, newSize)
      }
    let step = Double(above) / Double(below)
    let shift = coordinates == .halfPixel ? 0.5 * step - 0.5 : 0
    return (0..<newSize).map { output in
      if kernel == .nearest {
        // PyTorch's 'nearest' takes the pixel in which an asymmetric coordinate lies; its
        // 'nearest-exact', and everybody's aligned corners, the pixel whose centre is nearest, the
        // later of two. Antialiasing has no meaning here, as in TensorFlow.
        let nearest =
          switch coordinates {
          case .asymmetric: output * above / below
          case .halfPixel: (2 * output + 1) * above / (2 * below)
          case .alignCorners: (2 * output * above + below) / (2 * below)
          }
        return [Tap(position: inside(nearest, size), weight: 1)]
      }
      let place = Double(output) * step + shift
      let widening = antialias ? max(step, 1) : 1
      let reach = support * widening
      let taps = (Int((place - reach).rounded(.down))...Int((place + reach).rounded(.up))).map {
        Tap(position: inside($0, size), weight: weight((place - Double($0)) / widening))
      }
      let sum = taps.reduce(0) { $0 + $1.weight }
      return taps.map { Tap(position: $0.position, weight: $0.weight / sum) }
    }
  }

  /// The pixel that stands for one beyond the edges.
  private func inside(_ position: Int, _ size: Int) -> Int {
    switch edge {
    case .edge: return min(max(position, 0), size - 1)
    case .symmetric:
      let period = ((position % (2 * size)) + 2 * size) % (2 * size)
      return period < size ? period : 2 * size - 1 - period
    }
  }

  /// The distance from which on the kernel is 0.
  private var support: Double {
    switch kernel {
    case .nearest: 0.5
    case .linear: 1
    case .cubic: 2
    case .lanczos(let lobes): Double(lobes)
    }
  }

  /// The kernel at a distance.
  private func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    switch kernel {
    case .nearest: return x <= 0.5 ? 1 : 0
    case .linear: return max(1 - x, 0)
    case .cubic(let a):
      if x < 1 { return (a + 2) * x * x * x - (a + 3) * x * x + 1 }
      return x < 2 ? a * (x * x * x - 5 * x * x + 8 * x - 4) : 0
    case .lanczos(let lobes):
      func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
      return x < Double(lobes) ? sinc(x) * sinc(x / Double(lobes)) : 0
    }
  }
}
