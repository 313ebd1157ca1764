import AviaryThreads

/// Resamples an image that passes by in bands: rows go in, and those rows of the result that they
/// complete come out. Only the rows that the kernel still needs are kept.
///
/// The result does not depend on how the image is divided into bands.
public struct BandResampler: Sendable {
  /// Columns of the result.
  public var outputWidth: Int { columns.first.count }
  /// Rows of the result.
  public var outputHeight: Int { rows.first.count }
  /// The rows of the result handed over so far.
  public private(set) var position = 0
  /// The rows taken so far.
  public var inputPosition: Int { window.range.upperBound }
  /// How many threads make rows, each some of them.
  package var threads = 1

  private let format: PixelFormat
  private let rounding: BitDepth?
  private let rows: ResamplingTaps
  private let columns: ResamplingTaps
  private let inputHeight: Int
  private var window: RowWindow
  /// For each row of the result, the first row that it or any later one needs.
  private let needed: [Int]

  /// A resampler for images of the given size; the result's sides are side x factor, rounded up.
  ///
  /// - Throws: `ImageError.sizeMismatch` if a side is 0 or too large.
  public init(
    _ resampling: Resampling, width: Int, height: Int, format: PixelFormat, by factor: ScaleFactor
  ) throws(ImageError) {
    try self.init(
      resampling, from: (width, height),
      to: (try factor.length(of: width), try factor.length(of: height)),
      scale: (factor.value, factor.value), format)
  }

  /// A resampler for images of the given size to another size.
  ///
  /// - Throws: `ImageError.sizeMismatch` if a side is 0 or too large.
  public init(
    _ resampling: Resampling, width: Int, height: Int, format: PixelFormat,
    toWidth outputWidth: Int, height outputHeight: Int
  ) throws(ImageError) {
    try self.init(
      resampling, from: (width, height), to: (outputWidth, outputHeight),
      scale: (
        Double(outputWidth) / Double(max(width, 1)), Double(outputHeight) / Double(max(height, 1))
      ), format)
  }

  private init(
    _ resampling: Resampling, from input: (width: Int, height: Int),
    to output: (width: Int, height: Int), scale: (x: Double, y: Double), _ format: PixelFormat
  ) throws(ImageError) {
    for side in [input.width, input.height, output.width, output.height] {
      guard 1...ImageLimits.side ~= side else {
        throw .sizeMismatch(
          thing: "resampling", expected: "sides of 1 to \(ImageLimits.side) pixels",
          found: "\(input.width)x\(input.height) to \(output.width)x\(output.height)")
      }
    }
    self.format = format
    rounding = resampling.rounding
    rows = ResamplingTaps(
      from: input.height, to: output.height, scale: scale.y, resampling)
    columns = ResamplingTaps(
      from: input.width, to: output.width, scale: scale.x, resampling)
    inputHeight = input.height
    window = try RowWindow(width: input.width, format: format)
    // Mirrored borders make later rows need earlier ones: a minimum from the end on.
    var needed = (0..<output.height).map { [rows] in rows.range(of: $0).lowerBound }
    for i in needed.indices.dropLast().reversed() { needed[i] = min(needed[i], needed[i + 1]) }
    self.needed = needed
  }

  /// Takes the next rows of the image and answers with the next rows of the result, as many as
  /// can be made: none, where the kernel still waits for more. After the last row of the image,
  /// the result is complete.
  ///
  /// - Throws: `ImageError.sizeMismatch` or `.formatMismatch` if the band does not fit the image;
  ///   `.invalidSize` if so many rows of the result at once are too large.
  public mutating func push(_ band: Image) throws(ImageError) -> Image {
    guard band.height <= inputHeight - inputPosition else {
      throw .sizeMismatch(
        thing: "band", expected: "\(inputHeight - inputPosition) rows at most",
        found: "\(band.height)")
    }
    // Rounded values are handled as integers, which double precision sums without error.
    try window.append(rounding.map { band.levels($0) } ?? band)
    var end = position
    while end < outputHeight, rows.range(of: end).upperBound <= inputPosition { end += 1 }
    let result = try make(position..<end)
    position = end
    try window.discard(before: end < outputHeight ? needed[end] : inputHeight)
    return result
  }

  /// Some rows of the result, from rows that are all in the window.
  private func make(_ range: Range<Int>) throws(ImageError) -> Image {
    let input = try window.rows(window.range)
    let firstRow = window.range.lowerBound
    let maximum = rounding.map { Double($0.maximum) }
    let (rows, columns, width) = (rows, columns, outputWidth)
    let (planes, count) = (input.channels, range.count)
    let threads = planes * count * width < 1 << 16 ? 1 : threads
    return try unsafe Image(width: width, height: count, format: format) { target in
      nonisolated(unsafe) let target = unsafe target
      ThreadPool(count: threads).split(planes * count, cost: .max) { part in
        var pass = HorizontalPass(columns, inputWidth: input.width)
        unsafe input.withFloats { source in
          for i in part {
            let (plane, row) = i.quotientAndRemainder(dividingBy: count)
            unsafe pass.gather(
              source, plane: plane * input.height - firstRow, rows: rows,
              row: range.lowerBound + row, maximum: maximum)
            unsafe pass.write(
              to: UnsafeMutableBufferPointer(rebasing: target[i * width..<(i + 1) * width]),
              maximum: maximum)
          }
        }
      }
    }
  }
}

extension Image {
  /// The image with integers in place of fractions: 0 to 255, or to 65535.
  fileprivate func levels(_ depth: BitDepth) -> Image {
    var result = self
    let maximum = Float(depth.maximum)
    unsafe result.withMutableFloats { values in
      for i in values.indices {
        unsafe values[i] = Float(Samples.level(values[i], maximum: maximum))
      }
    }
    return result
  }
}

/// One row of the result at a time: gathered from rows, then filtered along itself.
struct HorizontalPass {
  private let columns: ResamplingTaps
  private let inputWidth: Int
  /// Where the row begins in `extended`.
  private let lead: Int
  /// A row with what the kernel sees beyond its ends.
  private var extended: [Double]

  init(_ columns: ResamplingTaps, inputWidth: Int) {
    self.columns = columns
    self.inputWidth = inputWidth
    let reach = columns.reach
    lead = max(0, -reach.lowerBound)
    extended = [Double](repeating: 0, count: lead + max(inputWidth, reach.upperBound))
  }

  /// Sums rows by their weights, in the order of the taps, and extends the sum beyond its ends.
  ///
  /// - Parameter plane: The row of `source` that stands for row 0 of the image.
  mutating func gather(
    _ source: UnsafeBufferPointer<Float>, plane: Int, rows: ResamplingTaps, row: Int,
    maximum: Double?
  ) {
    let (lead, width, columns) = (lead, inputWidth, columns)
    unsafe extended.withUnsafeMutableBufferPointer { buffer in
      let sum = unsafe UnsafeMutableBufferPointer(rebasing: buffer[lead..<lead + width])
      for t in 0..<rows.count {
        let weight = rows.weights[row * rows.count + t]
        let start = (plane + rows.source(rows.first[row] + t)) * width
        let values = unsafe UnsafeBufferPointer(rebasing: source[start..<start + width])
        if t == 0 {
          for x in 0..<width { unsafe sum[x] = weight * Double(values[x]) }
        } else if weight != 0 {
          for x in 0..<width { unsafe sum[x] += weight * Double(values[x]) }
        }
      }
      if let maximum {
        for x in 0..<width { unsafe sum[x] = HorizontalPass.level(sum[x], maximum) }
      }
      for i in 0..<lead { unsafe buffer[i] = unsafe sum[columns.source(i - lead)] }
      for i in (lead + width)..<max(lead + width, buffer.count) {
        unsafe buffer[i] = unsafe sum[columns.source(i - lead)]
      }
    }
  }

  /// Filters the gathered row along itself.
  func write(to target: UnsafeMutableBufferPointer<Float>, maximum: Double?) {
    let (lead, taps) = (lead, columns.count)
    unsafe extended.withUnsafeBufferPointer { row in
      unsafe columns.weights.withUnsafeBufferPointer { weights in
        unsafe columns.first.withUnsafeBufferPointer { first in
          for x in 0..<target.count {
            let start = unsafe first[x] + lead
            var sum = 0.0
            for t in 0..<taps { unsafe sum += weights[x &* taps &+ t] * row[start &+ t] }
            if let maximum {
              // Divided as floats, as a file's samples are: the same level is the same value.
              unsafe target[x] = Float(HorizontalPass.level(sum, maximum)) / Float(maximum)
            } else {
              unsafe target[x] = Float(sum)
            }
          }
        }
      }
    }
  }

  /// Limited and rounded, halves upwards; NaN becomes 0.
  @inline(__always)
  private static func level(_ value: Double, _ maximum: Double) -> Double {
    let limited = value > 0 ? (value < maximum ? value : maximum) : 0
    return Double(Int32(limited + 0.5))
  }
}
