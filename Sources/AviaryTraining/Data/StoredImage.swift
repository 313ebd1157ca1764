import AviaryImage

/// A picture kept for a training: planes of 8 bits, gray or RGB.
struct StoredImage: Sendable {
  let width: Int
  let height: Int
  let color: ColorModel
  private let levels: [UInt8]
  /// What it takes in memory.
  var byteCount: Int { levels.count }

  /// - Parameter image: gray or RGB without alpha; rounded to 8 bits here, as everything that a
  ///   training sees.
  init(_ image: Image) {
    (width, height, color) = (image.width, image.height, image.format.color)
    levels = unsafe image.rounded(to: .eight).withFloats { values in
      // Halves cannot be: the values are multiples of 1/255.
      unsafe values.map { UInt8($0 * 255 + 0.5) }
    }
  }

  /// A part of it.
  ///
  /// - Parameter planes: which plane of an RGB picture stands at each place: three, or one for a gray
  ///   picture of it.
  func image(_ region: Region, planes: [Int]) throws(ImageError) -> Image {
    let planes = color.channels == 1 ? [0] : planes
    var image = try Image(
      width: region.width, height: region.height,
      format: PixelFormat(planes.count == 1 ? .gray : color))
    precondition(
      region.x >= 0 && region.y >= 0 && region.right <= width && region.bottom <= height,
      "\(region) in a picture of \(width)x\(height)")
    unsafe image.withMutableFloats { target in
      unsafe levels.withUnsafeBufferPointer { levels in
        var to = 0
        for plane in planes {
          for row in region.y..<region.bottom {
            let from = (plane * height + row) * width + region.x
            for column in 0..<region.width {
              // Divided as a file's samples are: the same level is the same value.
              unsafe target[to + column] = Float(levels[from + column]) / 255
            }
            to += region.width
          }
        }
      }
    }
    return image
  }
}
