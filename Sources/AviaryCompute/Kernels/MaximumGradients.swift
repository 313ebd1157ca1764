import AviaryGraph
import AviaryThreads

/// The gradient of a maximum pool whose windows lie side by side: each goes to the pixel that was
/// largest, the first of several.
///
/// No pixel has two windows, so that the result is written once, in order, and the largest pixel is
/// known again by being equal to the pool's result: one pass, where oneDNN would take a second
/// forward pass, zeros everywhere and then the gradient.
struct MaxPoolGradient {
  /// What was pooled, and so its gradient.
  private let input: Grid
  /// The pool's result, and so its gradient.
  private let result: Grid
  private let window: Size

  init(input: Grid, result: Grid, window: Size) {
    (self.input, self.result, self.window) = (input, result, window)
  }

  /// - Parameters:
  ///   - gradient: that of the pool's result.
  ///   - source: what was pooled.
  ///   - maxima: the pool's result.
  func run(
    _ gradient: UnsafePointer<Float>, _ source: UnsafePointer<Float>,
    _ maxima: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let depth = input.depth
    let used = result.columns * window.width * depth
    workers.split(result.planes * result.rows, cost: window.height * input.rowCount) { range in
      for line in range {
        let (plane, row) = (line / result.rows, line % result.rows)
        let top = row * window.height
        let start = (plane * input.rows + top) * input.rowCount
        for column in 0..<result.columns {
          let from = line * result.rowCount + column * depth
          let to = start + column * window.width * depth
          unsafe give(gradient + from, source + to, maxima + from, to: target + to)
        }
        // Pixels at the right and at the bottom may have no window.
        for y in 0..<window.height where used < input.rowCount {
          unsafe (target + start + y * input.rowCount + used)
            .update(repeating: 0, count: input.rowCount - used)
        }
        if row == result.rows - 1 {
          let rest = input.rows - top - window.height
          unsafe (target + start + window.height * input.rowCount)
            .update(repeating: 0, count: rest * input.rowCount)
        }
      }
    }
  }

  /// The gradient of one window: 16 channels at a time, then those that are left.
  @inline(__always)
  private func give(
    _ gradient: UnsafePointer<Float>, _ source: UnsafePointer<Float>,
    _ maxima: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    var channel = 0
    while channel + 16 <= input.depth {
      let largest = unsafe MaxPoolGradient.lanes(maxima + channel)
      // What nobody has got yet.
      var left = unsafe MaxPoolGradient.lanes(gradient + channel)
      for y in 0..<window.height {
        for x in 0..<window.width {
          let place = y * input.rowCount + x * input.depth + channel
          let isLargest = unsafe MaxPoolGradient.lanes(source + place) .== largest
          let given = SIMD16<Float>().replacing(with: left, where: isLargest)
          left.replace(with: 0, where: isLargest)
          unsafe UnsafeMutableRawPointer(target + place)
            .storeBytes(of: given, as: SIMD16<Float>.self)
        }
      }
      channel += 16
    }
    while channel < input.depth {
      var left = unsafe gradient[channel]
      for y in 0..<window.height {
        for x in 0..<window.width {
          let place = y * input.rowCount + x * input.depth + channel
          let isLargest = unsafe source[place] == maxima[channel]
          unsafe target[place] = isLargest ? left : 0
          if isLargest { left = 0 }
        }
      }
      channel += 1
    }
  }

  @inline(__always)
  private static func lanes(_ place: UnsafePointer<Float>) -> SIMD16<Float> {
    unsafe UnsafeRawPointer(place).loadUnaligned(as: SIMD16<Float>.self)
  }
}
