import AviaryThreads

/// An affine map between colours with values from 0 to 1: `matrix` x colour + `offset`.
struct ColorTransform {
  var matrix: [[Double]]
  var offset: [Double]

  /// From a colour model (not luma alone, which has too little) to RGB.
  static func toRGB(_ color: ColorModel) -> ColorTransform {
    switch color {
    case .gray, .luma: ColorTransform(matrix: [[1], [1], [1]], offset: [0, 0, 0])
    case .rgb: identity
    case .ycbcr: inverseStudio
    case .fullRangeYCbCr: inverseFullRange
    }
  }

  /// From RGB to a colour model.
  static func fromRGB(_ color: ColorModel) -> ColorTransform {
    switch color {
    case .gray: ColorTransform(matrix: [fullRange.matrix[0]], offset: [0])
    case .luma: ColorTransform(matrix: [studio.matrix[0]], offset: [studio.offset[0]])
    case .rgb: identity
    case .ycbcr: studio
    case .fullRangeYCbCr: fullRange
    }
  }

  /// This map, and another on its result.
  func then(_ next: ColorTransform) -> ColorTransform {
    let columns = matrix[0].count
    return ColorTransform(
      matrix: next.matrix.map { row in
        (0..<columns).map { c in row.indices.reduce(0) { $0 + row[$1] * matrix[$1][c] } }
      },
      offset: zip(next.matrix, next.offset).map { row, offset in
        row.indices.reduce(offset) { $0 + row[$1] * self.offset[$1] }
      })
  }

  /// Maps planes of `count` pixels to planes that follow each other in `target`, as many as the
  /// matrix has rows. In double precision, rounded once.
  ///
  /// - Parameter sources: 1 plane or 3, as many as the matrix has columns.
  func apply(
    to sources: [UnsafePointer<Float>], count: Int, target: UnsafeMutablePointer<Float>,
    threads: Int
  ) {
    nonisolated(unsafe) let (sources, target) = unsafe (sources, target)
    let (matrix, offset) = (matrix, offset)
    // Blocks whose planes stay in the cache while one plane of the result after the other is made.
    let block = 2_048
    ThreadPool(count: count < 1 << 17 ? 1 : threads).split(
      (count + block - 1) / block, cost: .max
    ) { blocks in
      for start in stride(
        from: blocks.lowerBound * block, to: min(blocks.upperBound * block, count), by: block)
      {
        let length = min(block, count - start)
        for (row, weights) in matrix.enumerated() {
          let result = unsafe target + row * count + start
          let shift = offset[row]
          let first = unsafe sources[0] + start
          let weight = weights[0]
          guard weights.count == 3 else {
            for i in 0..<length { unsafe result[i] = Float(shift + weight * Double(first[i])) }
            continue
          }
          let (second, third) = unsafe (sources[1] + start, sources[2] + start)
          let (weight2, weight3) = (weights[1], weights[2])
          for i in 0..<length {
            let sum = unsafe shift + weight * Double(first[i]) + weight2 * Double(second[i])
            unsafe result[i] = Float(sum + weight3 * Double(third[i]))
          }
        }
      }
    }
  }

  private static let identity = ColorTransform(
    matrix: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], offset: [0, 0, 0])

  /// BT.601 in studio range, with the digits that MATLAB uses.
  private static let studio = ColorTransform(
    matrix: [
      [65.481, 128.553, 24.966], [-37.797, -74.203, 112], [112, -93.786, -18.214],
    ].map { $0.map { $0 / 255 } },
    offset: [16 / 255, 128 / 255, 128 / 255])

  /// JFIF: the weights of red and blue in Y are 0.299 and 0.114; Cb and Cr follow from them.
  private static let fullRange = ColorTransform(
    matrix: [
      [0.299, 0.587, 0.114],
      [-0.299 / 1.772, -0.587 / 1.772, 0.5],
      [0.5, -0.587 / 1.402, -0.114 / 1.402],
    ],
    offset: [0, 128 / 255, 128 / 255])

  private static let inverseStudio = studio.inverse
  private static let inverseFullRange = fullRange.inverse

  /// The backward pass, of the 3x3 maps above, by Cramer's rule.
  private var inverse: ColorTransform {
    let m = matrix
    func minor(_ row: Int, _ column: Int) -> Double {
      // With indices that go round, the sign of the cofactor comes by itself.
      let (r, s) = ((row + 1) % 3, (row + 2) % 3)
      let (c, d) = ((column + 1) % 3, (column + 2) % 3)
      return m[r][c] * m[s][d] - m[r][d] * m[s][c]
    }
    let determinant = (0..<3).reduce(0) { $0 + m[0][$1] * minor(0, $1) }
    let inverted = (0..<3).map { row in (0..<3).map { minor($0, row) / determinant } }
    return ColorTransform(
      matrix: inverted,
      offset: inverted.map { row in -(0..<3).reduce(0) { $0 + row[$1] * offset[$1] } })
  }
}

/// Colour models converted into each other.
extension Image {
  /// The image in another colour model; alpha stays as it is, and nothing is rounded or limited.
  ///
  /// - `ycbcr`: MATLAB's `rgb2ycbcr` and `ycbcr2rgb` (BT.601, studio range: Y = 16 + 65.481 R +
  ///   128.553 G + 24.966 B of 255), both ways by the full 3x3 matrix.
  /// - `fullRangeYCbCr`: as in JPEG files (JFIF 1.02).
  /// - `luma`: the Y of `ycbcr`. A gray image's values are taken for luma as they are: published
  ///   figures for gray images (bridge in Set14) are measured on the gray values, and a network on
  ///   luma takes and gives them so. As a part of `ycbcr`, gray goes by way of equal R, G and B.
  /// - `gray`: of colour images, the Y of `fullRangeYCbCr`; of luma, its values as they are.
  ///
  /// - Throws: `ImageError.noConversion` from luma alone to colour.
  public func converted(to color: ColorModel) throws(ImageError) -> Image {
    try converted(to: color, threads: 1)
  }

  /// The same on several threads.
  package func converted(to color: ColorModel, threads: Int) throws(ImageError) -> Image {
    let target = PixelFormat(color, hasAlpha: format.hasAlpha, bitDepth: format.bitDepth)
    switch (format.color, color) {
    case _ where format.color == color:
      return self
    case (.gray, .luma), (.luma, .gray):
      return try labelled(target)
    case (.luma, _):
      throw .noConversion(from: format.color, to: color)
    default:
      // Both steps by way of RGB in one matrix, so that there is one rounding to float32.
      let transform = ColorTransform.toRGB(format.color).then(.fromRGB(color))
      let (count, inputs, outputs) = (width * height, format.color.channels, color.channels)
      let (hasAlpha, last) = (format.hasAlpha, channels - 1)
      return try unsafe Image(width: width, height: height, format: target) { result in
        unsafe withFloats { source in
          guard let source = source.baseAddress, let result = result.baseAddress else { return }
          unsafe transform.apply(
            to: (0..<inputs).map { unsafe source + $0 * count }, count: count, target: result,
            threads: threads)
          guard hasAlpha else { return }
          unsafe (result + outputs * count).update(from: source + last * count, count: count)
        }
      }
    }
  }

  /// RGB of the planes of `ycbcr`, each an image of its own.
  ///
  /// - Throws: `ImageError.sizeMismatch` unless all have one plane of the same size.
  package init(
    luma: Image, blue: Image, red: Image, bitDepth: BitDepth, threads: Int
  ) throws(ImageError) {
    for (name, plane) in [("luma", luma), ("blue", blue), ("red", red)] {
      guard plane.channels == 1, plane.width == luma.width, plane.height == luma.height else {
        throw .sizeMismatch(
          thing: name, expected: "\(luma.width)x\(luma.height) with 1 channel",
          found: "\(plane.width)x\(plane.height) with \(plane.channels)")
      }
    }
    let format = PixelFormat(.rgb, bitDepth: bitDepth)
    let count = luma.width * luma.height
    try unsafe self.init(width: luma.width, height: luma.height, format: format) { result in
      unsafe luma.withFloats { luma in
        unsafe blue.withFloats { blue in
          unsafe red.withFloats { red in
            guard let luma = luma.baseAddress, let blue = blue.baseAddress,
              let red = red.baseAddress, let result = result.baseAddress
            else { return }
            unsafe ColorTransform.toRGB(.ycbcr).apply(
              to: [luma, blue, red], count: count, target: result, threads: threads)
          }
        }
      }
    }
  }
}
