import AviaryGraph
import AviaryImage

/// An image to learn from: what ought to come out, and what is given.
struct ImagePair: Sendable {
  /// The target's path within its folder.
  var name: String
  /// Its sides are multiples of the scale.
  var target: StoredImage
  /// Of the target's sides over the scale.
  var input: StoredImage
}

/// One patch, in the network's colours, before rotation; values from 0 to 1.
struct PatchPair {
  /// The network's input: a square.
  var input: Image
  /// The target: also a square, including the surrounding pixels that the network's output covers.
  var target: Image
}

extension ImagePair {
  /// The patch at a place.
  ///
  /// - Parameters:
  ///   - x: in pixels of the network's input; likewise `y`.
  ///   - degradations: applied to the input.
  ///   - generator: the source of strengths and noise.
  /// - Throws: errors from the degradations.
  func patch(
    x: Int, y: Int, _ geometry: PatchGeometry, _ colour: ImageSpec.Colour,
    _ augmentation: Augmentation, _ degradations: [DataRecipe.Degradation],
    using generator: inout SeededGenerator
  ) throws(ImageError) -> PatchPair {
    // Colour images go through a gray network one channel at a time. JPEG mixes channels; without
    // it, the other channels need not be degraded.
    let shown =
      colour == .gray ? [augmentation.channels[augmentation.plane]] : augmentation.channels
    let mixesChannels = degradations.contains { if case .jpeg = $0 { true } else { false } }
    let given = mixesChannels ? augmentation.channels : shown
    func inNetworkColours(_ image: Image) throws(ImageError) -> Image {
      let image = try image.converted(to: colour.model(for: image.format.color))
      return colour == .gray && image.channels > 1 ? try image.plane(augmentation.plane) : image
    }
    let (ratio, excess) = (geometry.ratio, geometry.excess)
    let whole = try target.image(
      Region(
        x: x * ratio - excess, y: y * ratio - excess,
        side: geometry.side * ratio + 2 * excess),
      planes: shown)
    let region = Region(x: x, y: y, side: geometry.side)
    let input: Image
    if geometry.enlargesFirst {
      // The kernel reads two pixels on either side. If the part ends inside the image, one more
      // pixel is wrong and is cut off; if the image ends there, its edge is treated as for the
      // whole image.
      let source = region.reduced(by: geometry.scale)
        .expanded(by: 3, in: (self.input.width, self.input.height))
      let small = try inNetworkColours(
        degraded(source, degradations, given, using: &generator))
      let factor = try ScaleFactor(geometry.scale)
      input = try Resampling().resize(small, by: factor).cropped(
        x: x - source.x * geometry.scale, y: y - source.y * geometry.scale,
        width: region.width, height: region.height)
    } else {
      input = try inNetworkColours(
        degraded(region, degradations, given, using: &generator))
    }
    return PatchPair(input: input, target: try inNetworkColours(whole))
  }

  /// A part of the input, as it comes out if the whole image is degraded: each degradation gets as
  /// much context as it reads, so a patch's edges are not special.
  private func degraded(
    _ region: Region, _ degradations: [DataRecipe.Degradation], _ planes: [Int],
    using generator: inout SeededGenerator
  ) throws(ImageError) -> Image {
    let drawn = degradations.map { DrawnDegradation($0, using: &generator) }
    // From last to first: the region that each must produce, and finally the region that is read.
    var regions = [region]
    for degradation in drawn.reversed() {
      let needed = regions[regions.count - 1]
      regions.append(degradation.source(of: needed, in: (input.width, input.height)))
    }
    var place = regions.removeLast()
    var image = try input.image(place, planes: planes)
    for degradation in drawn {
      image = try degradation.applied(to: image, using: &generator)
      let needed = regions.removeLast()
      image = try image.cropped(
        x: needed.x - place.x, y: needed.y - place.y, width: needed.width, height: needed.height)
      place = needed
    }
    return image
  }
}

/// An image kept for a training: planes of 8 bits, gray or RGB.
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
  /// - Parameter planes: which plane of an RGB image stands at each place: three, or one for a gray
  ///   image of it.
  func image(_ region: Region, planes: [Int]) throws(ImageError) -> Image {
    let planes = color.channels == 1 ? [0] : planes
    var image = try Image(
      width: region.width, height: region.height,
      format: PixelFormat(planes.count == 1 ? .gray : color))
    precondition(
      region.x >= 0 && region.y >= 0 && region.right <= width && region.bottom <= height,
      "\(region) in an image of \(width)x\(height)")
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
