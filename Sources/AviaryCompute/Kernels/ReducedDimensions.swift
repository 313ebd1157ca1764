import AviaryThreads
import CKernels

/// The dimensions of a row-major value, those that a reduction leaves and those that it takes, in
/// the order in which they lie in memory. Neighbours of one sort are one.
struct ReducedDimensions {
  private struct Dimension {
    var size: Int
    var stride: Int
  }

  private var kept: [Dimension] = []
  private var taken: [Dimension] = []
  /// The last dimension, whose numbers lie side by side, and whether it is kept.
  private var inner = 1
  private var isInnerKept = false

  init(_ shape: [Int], _ dimensions: [Int]) {
    var merged: [(size: Int, isKept: Bool)] = []
    for (i, size) in shape.enumerated() where size != 1 {
      let isKept = !dimensions.contains(i)
      if let last = merged.last, last.isKept == isKept {
        merged[merged.count - 1].size *= size
      } else {
        merged.append((size, isKept))
      }
    }
    if let last = merged.popLast() { (inner, isInnerKept) = (last.size, last.isKept) }
    var stride = inner
    for dimension in merged.reversed() {
      let own = Dimension(size: dimension.size, stride: stride)
      if dimension.isKept { kept.insert(own, at: 0) } else { taken.insert(own, at: 0) }
      stride *= dimension.size
    }
  }

  /// How many numbers a result is made of.
  var count: Int { runs * (isInnerKept ? 1 : inner) }

  /// As many results side by side are worked on at once.
  private static let block = 256

  private var runs: Int { taken.reduce(1) { $0 * $1.size } }
  private var outer: Int { kept.reduce(1) { $0 * $1.size } }

  /// Reduces everything.
  ///
  /// - Parameters:
  ///   - middles: whether numbers are taken by their distance from the mean.
  ///   - finish: what the last step makes of a result.
  func run(
    _ kind: aviary_reduction, _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>,
    aroundMean: Bool, _ workers: ThreadPool, finish: (Double) -> Double
  ) {
    let start = aviary_reduction_start(kind)
    guard isInnerKept else {
      workers.split(outer, cost: count) { range in
        for number in range {
          let source = unsafe from + Self.place(number, kept)
          let middle =
            aroundMean ? unsafe reduce(AVIARY_REDUCE_SUM, source, 0, 0) / Double(count) : 0
          unsafe to[number] = Float(finish(reduce(kind, source, middle, start)))
        }
      }
      return
    }
    let blocks = (inner + Self.block - 1) / Self.block
    workers.split(outer * blocks, cost: runs * min(inner, Self.block)) { range in
      var results = [Double](repeating: 0, count: Self.block)
      var middles = results
      for item in range {
        let (number, block) = item.quotientAndRemainder(dividingBy: blocks)
        let first = block * Self.block
        let size = min(Self.block, inner - first)
        let source = unsafe from + Self.place(number, kept) + first
        let target = unsafe to + number * inner + first
        if aroundMean {
          for i in 0..<size { middles[i] = 0 }
          unsafe reduceRow(AVIARY_REDUCE_SUM, source, size, nil, &middles)
          for i in 0..<size { middles[i] /= Double(count) }
        }
        for i in 0..<size { results[i] = start }
        unsafe middles.withUnsafeBufferPointer { middles in
          unsafe reduceRow(
            kind, source, size, aroundMean ? middles.baseAddress : nil, &results)
        }
        for i in 0..<size { unsafe target[i] = Float(finish(results[i])) }
      }
    }
  }

  /// One result of numbers that lie in runs.
  private func reduce(
    _ kind: aviary_reduction, _ source: UnsafePointer<Float>, _ middle: Double, _ start: Double
  ) -> Double {
    var result = start
    for run in 0..<runs {
      result = unsafe aviary_reduce_run(
        kind, source + Self.place(run, taken), inner, middle, result)
    }
    return result
  }

  /// Results that lie side by side.
  private func reduceRow(
    _ kind: aviary_reduction, _ source: UnsafePointer<Float>, _ size: Int,
    _ middles: UnsafePointer<Double>?, _ results: UnsafeMutablePointer<Double>
  ) {
    for run in 0..<runs {
      unsafe aviary_reduce_row(kind, source + Self.place(run, taken), size, middles, results)
    }
  }

  /// Where the numbers of this number in row-major order of some dimensions begin.
  private static func place(_ number: Int, _ dimensions: [Dimension]) -> Int {
    var (rest, place) = (number, 0)
    for dimension in dimensions.reversed() {
      place += rest % dimension.size * dimension.stride
      rest /= dimension.size
    }
    return place
  }
}

extension ReducedDimensions {
  /// Gives every number the gradient by it.
  ///
  /// - Parameters:
  ///   - gradient: that of the results.
  ///   - results: what they are.
  ///   - derivatives: takes a result with its gradient and a look at the numbers that it is made
  ///     of; gives the gradient by a number.
  func runBackward(
    _ gradient: UnsafePointer<Float>, _ from: UnsafePointer<Float>,
    _ results: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool,
    _ derivatives: (_ gradient: Double, _ result: Float, _ numbers: Numbers) -> (Float) -> Double
  ) {
    let columns = isInnerKept ? inner : 1
    let length = isInnerKept ? 1 : inner
    workers.split(outer * columns, cost: 4 * count) { range in
      for number in range {
        let (row, column) = number.quotientAndRemainder(dividingBy: columns)
        let start = Self.place(row, kept) + column
        let derivative = unsafe derivatives(
          Double(gradient[number]), results[number],
          Numbers(source: from + start, dimensions: self, length: length))
        for run in 0..<runs {
          let place = start + Self.place(run, taken)
          for i in place..<place + length { unsafe to[i] = Float(derivative(from[i])) }
        }
      }
    }
  }

  /// The numbers that one result is made of.
  @safe struct Numbers {
    fileprivate let source: UnsafePointer<Float>
    fileprivate let dimensions: ReducedDimensions
    fileprivate let length: Int

    fileprivate init(source: UnsafePointer<Float>, dimensions: ReducedDimensions, length: Int) {
      unsafe self.source = source
      (self.dimensions, self.length) = (dimensions, length)
    }

    /// How many there are.
    var count: Int { dimensions.count }

    func forEach(_ body: (Float) -> Void) {
      for run in 0..<dimensions.runs {
        let place = ReducedDimensions.place(run, dimensions.taken)
        for i in place..<place + length { unsafe body(source[i]) }
      }
    }
  }
}
