/// The second half of an expanded convolution: sums, for every output pixel, what the taps that
/// meet it have given, and writes the result in planes.
struct TapSum {
  let expansion: Expansion
  /// Where the channels of the expanded value lie.
  let places: ChannelPlaces
  /// The size of the expanded value.
  let inputWidth: Int
  /// What meets what along each axis, for every tap.
  let rows: [TapRun]
  let columns: [TapRun]
  /// NCHW.
  let output: [Int]
  let activation: CheapActivation
  /// Whether the result is added to what the destination holds, and what is done to the sum.
  let isAdding: Bool
  let finalActivation: CheapActivation

  /// - Parameters:
  ///   - expanded: the value that the 1x1 convolution gave, with 3 elements to spare behind it.
  ///   - bias: a number for each filter.
  func run(
    _ expanded: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    to result: UnsafeMutablePointer<Float>, _ workers: Workers
  ) {
    let (height, width) = (output[2], output[3])
    // Vectors of two or four lanes hold the filters; the last lane may be idle.
    let lanes = expansion.filters == 1 ? 1 : expansion.filters == 2 ? 2 : 4
    workers.split(output[0] * height, cost: width * expansion.taps) { range in
      unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: width * lanes) { row in
        guard let row = row.baseAddress else { return }
        for line in range {
          let (picture, y) = (line / height, line % height)
          for lane in 0..<lanes {
            let start = unsafe lane < expansion.filters ? bias?[lane] ?? 0 : 0
            for x in 0..<width { unsafe row[x * lanes + lane] = start }
          }
          unsafe sum(expanded + picture * places.picture, y, lanes, row)
          unsafe store(row, lanes, picture, y, result)
        }
      }
    }
  }

  /// Adds to a row of results what all taps give.
  private func sum(
    _ picture: UnsafePointer<Float>, _ y: Int, _ lanes: Int, _ row: UnsafeMutablePointer<Float>
  ) {
    // Tap by tap over the whole row, which stays in the first-level cache: no decisions per pixel.
    for (i, vertical) in rows.enumerated() {
      guard let inputRow = vertical.input(at: y) else { continue }
      for (j, run) in columns.enumerated() where run.count > 0 {
        let tap = expansion.channel(ofTap: i * columns.count + j)
        let source =
          unsafe picture + places.offsets[tap] + (inputRow * inputWidth + run.input) * places.step
        let target = unsafe row + run.output * lanes
        let (from, to) = (run.inputStep * places.step, run.outputStep * lanes)
        switch lanes {
        case 1:
          for x in 0..<run.count { unsafe target[x * to] += source[x * from] }
        case 2:
          unsafe add(SIMD2<Float>.self, source, from, target, to, run.count)
        default:
          unsafe add(SIMD4<Float>.self, source, from, target, to, run.count)
        }
      }
    }
  }

  @inline(__always)
  private func add<V: SIMD>(
    _: V.Type, _ source: UnsafePointer<Float>, _ from: Int, _ target: UnsafeMutablePointer<Float>,
    _ to: Int, _ count: Int
  ) where V.Scalar == Float {
    for x in 0..<count {
      let place = unsafe UnsafeMutableRawPointer(target + x * to)
      let value = unsafe UnsafeRawPointer(source + x * from).loadUnaligned(as: V.self)
      let sum = unsafe UnsafeRawPointer(place).loadUnaligned(as: V.self)
      unsafe place.storeBytes(of: sum + value, as: V.self)
    }
  }

  /// Writes a row of results to the planes of its channels.
  private func store(
    _ row: UnsafePointer<Float>, _ lanes: Int, _ picture: Int, _ y: Int,
    _ result: UnsafeMutablePointer<Float>
  ) {
    let (height, width) = (output[2], output[3])
    for filter in 0..<expansion.filters {
      let plane =
        unsafe result + ((picture * expansion.filters + filter) * height + y) * width
      for x in 0..<width {
        let value = unsafe activation(row[x * lanes + filter])
        unsafe plane[x] = isAdding ? finalActivation(plane[x] + value) : value
      }
    }
  }
}
