/// Of which pixels along an axis each pixel of a result is made, and with what weights.
struct TapLists {
  /// The taps of pixel i lie from `starts[i]` up to `starts[i + 1]`.
  private(set) var starts: [Int]
  private(set) var positions: [Int]
  private(set) var weights: [Float]
  /// The most taps that a pixel has.
  let most: Int
  /// Whether each has as many.
  let isEven: Bool

  /// The number of lists.
  var count: Int { starts.count - 1 }

  /// Those of interpolation.
  init(_ taps: PixelTaps) {
    starts = Array(stride(from: 0, through: taps.positions.count, by: taps.count))
    (positions, weights) = (taps.positions, taps.weights)
    (most, isEven) = (taps.count, true)
  }

  /// The adjoint: to which output pixels each input pixel has given something.
  ///
  /// - Parameter inputs: how many input pixels there are along the axis.
  init(transposing taps: PixelTaps, inputs: Int) {
    self.init(
      taps.positions.indices.lazy.map { (taps.positions[$0], $0 / taps.count, taps.weights[$0]) },
      inputs: inputs)
  }

  /// The adjoint of repetition.
  ///
  /// - Parameters:
  ///   - sources: for each output pixel the input pixel that it repeats; -1 for none.
  ///   - inputs: how many input pixels there are along the axis.
  init(transposing sources: [Int], inputs: Int) {
    self.init(sources.indices.lazy.map { (sources[$0], $0, 1) }, inputs: inputs)
  }

  /// Triples of an input pixel, an output pixel and a weight, sorted into lists by counting: within
  /// a list they stay in order, so that sums are always in the same order.
  private init(_ taps: some Collection<(Int, Int, Float)>, inputs: Int) {
    starts = Array(repeating: 0, count: inputs + 1)
    // Taps without weight, which fill up rows of taps, would cost time.
    for (input, _, weight) in taps where input >= 0 && weight != 0 { starts[input + 1] += 1 }
    let counts = starts.dropFirst()
    most = counts.max() ?? 0
    isEven = counts.min() == most
    for i in 0..<inputs { starts[i + 1] += starts[i] }
    var ends = starts
    positions = Array(repeating: 0, count: starts[inputs])
    weights = Array(repeating: 0, count: starts[inputs])
    for (input, output, weight) in taps where input >= 0 && weight != 0 {
      positions[ends[input]] = output
      weights[ends[input]] = weight
      ends[input] += 1
    }
  }
}
