/// One of the eight positions of an image: mirrored or not, then transposed or not.
package struct ImageTurn: Hashable, Sendable {
  /// Whether left and right change places.
  package var isMirrored: Bool
  /// Whether top and bottom change places.
  package var isFlipped: Bool
  /// Whether rows become columns, after the two.
  package var isTransposed: Bool

  /// All eight, the image as it is first.
  package static let all = (0..<8).map {
    ImageTurn(isMirrored: $0 & 1 != 0, isFlipped: $0 & 2 != 0, isTransposed: $0 & 4 != 0)
  }

  /// What undoes it.
  package var inverse: ImageTurn {
    isTransposed
      ? ImageTurn(isMirrored: isFlipped, isFlipped: isMirrored, isTransposed: true) : self
  }
}

extension Image {
  /// The image in another position.
  package func turned(_ turn: ImageTurn) throws(ImageError) -> Image {
    guard turn.isMirrored || turn.isFlipped || turn.isTransposed else { return self }
    let (columns, rows) = turn.isTransposed ? (height, width) : (width, height)
    // The place in this image of the result's pixel (row, column).
    let xStep = turn.isMirrored ? -1 : 1
    let yStep = turn.isFlipped ? -width : width
    let origin =
      (turn.isMirrored ? width - 1 : 0) + (turn.isFlipped ? (height - 1) * width : 0)
    let (columnStep, rowStep) = turn.isTransposed ? (yStep, xStep) : (xStep, yStep)
    let count = width * height
    return try unsafe Image(width: columns, height: rows, format: format) { target in
      unsafe withFloats { source in
        for channel in 0..<channels {
          for row in 0..<rows {
            var from = channel * count + origin + row * rowStep
            let to = (channel * rows + row) * columns
            for column in 0..<columns {
              unsafe target[to + column] = unsafe source[from]
              from += columnStep
            }
          }
        }
      }
    }
  }

  /// The image with `margin` pixels around it that go on at its opposite border.
  package func wrapped(_ margin: Int) throws(ImageError) -> Image {
    guard margin > 0, width > 0, height > 0 else { return self }
    let (columns, rows) = (width + 2 * margin, height + 2 * margin)
    let places = (0..<columns).map { ResamplingBorder.circular.map($0 - margin, count: width) }
    return try unsafe Image(width: columns, height: rows, format: format) { target in
      unsafe withFloats { source in
        for channel in 0..<channels {
          for row in 0..<rows {
            let y = ResamplingBorder.circular.map(row - margin, count: height)
            let from = (channel * height + y) * width
            let to = (channel * rows + row) * columns
            for (column, place) in places.enumerated() {
              unsafe target[to + column] = unsafe source[from + place]
            }
          }
        }
      }
    }
  }

  /// The sum of two images of one size and format, sample by sample.
  ///
  /// - Throws: `ImageError.sizeMismatch` for another size, `.formatMismatch` for other channels.
  package func adding(_ other: Image) throws(ImageError) -> Image {
    try combined(with: other, channels: channels) { $0 + $1 }
  }

  /// The image with `share` of itself and the rest of another in each colour; alpha stays.
  ///
  /// - Throws: as `adding`.
  package func mixed(with other: Image, share: Float) throws(ImageError) -> Image {
    try combined(with: other, channels: format.color.channels) { $0 * share + $1 * (1 - share) }
  }

  /// All samples times a number.
  package func multiplied(by factor: Float) -> Image {
    var result = self
    unsafe result.withMutableFloats { values in
      for i in values.indices { unsafe values[i] *= factor }
    }
    return result
  }

  private func combined(
    with other: Image, channels: Int, _ operation: (Float, Float) -> Float
  ) throws(ImageError) -> Image {
    guard other.width == width, other.height == height else {
      throw .sizeMismatch(
        thing: "image", expected: "\(width)x\(height)", found: "\(other.width)x\(other.height)")
    }
    guard other.channels >= channels else {
      throw .formatMismatch(thing: "image", expected: "\(format)", found: "\(other.format)")
    }
    var result = self
    let count = width * height * channels
    unsafe result.withMutableFloats { target in
      unsafe other.withFloats { source in
        for i in 0..<count { unsafe target[i] = unsafe operation(target[i], source[i]) }
      }
    }
    return result
  }
}
