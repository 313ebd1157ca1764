import AviaryGraph
import AviaryImage

/// A picture to learn from: what ought to come out, and what is given.
struct PicturePair: Sendable {
  /// The target's path within its folder.
  var name: String
  /// Its sides are multiples of the scale.
  var target: StoredPicture
  /// Of the target's sides over the scale.
  var input: StoredPicture
}

/// One patch, in the network's colours, not turned yet; values from 0 to 1.
struct PatchPair {
  /// What the network is given: a square.
  var input: Image
  /// A square too, with the pixels around it that the network's output reaches.
  var target: Image
}

extension PicturePair {
  /// The patch at a place.
  ///
  /// - Parameters:
  ///   - x: in pixels of the network's input, and so `y`.
  ///   - degradations: what the input suffers.
  ///   - generator: what strengths and noise are drawn from.
  /// - Throws: what the degradations throw.
  func patch(
    x: Int, y: Int, _ geometry: PatchGeometry, _ colour: Picture.Colour,
    _ augmentation: Augmentation, _ degradations: [DataRecipe.Degradation],
    using generator: inout SeededGenerator
  ) throws(ImageError) -> PatchPair {
    // Colour pictures are run through a network on gray channel by channel. JPEG mixes channels;
    // without it, the others need not suffer for nothing.
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
      // The kernel looks at two pixels on either side. Where the part ends within the picture, one
      // more is spoilt, which is cut off; where the picture ends, its border counts as it does for
      // the whole.
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

  /// A part of the input as it comes out where the whole picture suffers: each degradation is given
  /// as much around it as it looks at, so that a patch's borders are not special.
  private func degraded(
    _ region: Region, _ degradations: [DataRecipe.Degradation], _ planes: [Int],
    using generator: inout SeededGenerator
  ) throws(ImageError) -> Image {
    let drawn = degradations.map { DrawnDegradation($0, using: &generator) }
    // From the last to the first: what each must give, and at the end what is taken.
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
