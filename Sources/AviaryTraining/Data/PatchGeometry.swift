public import AviaryGraph

/// How a network's input patches and its target patches correspond.
public struct PatchGeometry: Hashable, Sendable {
  /// How many times larger targets are than inputs.
  public let scale: Int
  /// The index of the trained graph output: that of the scale, as when images are enlarged.
  public let output: Int
  /// The side of the network's input, in pixels.
  public let side: Int
  /// The height of the network's output.
  public let outputHeight: Int
  /// The width of the network's output.
  public let outputWidth: Int
  /// Whether images are enlarged bicubically beforehand, so that the network's input has the size
  /// of the target.
  public let enlargesFirst: Bool

  /// Target pixels per pixel of the network's input.
  var ratio: Int { enlargesFirst ? 1 : scale }
  /// Rows and columns at the start of the full target that the output lacks, since convolutions
  /// without padding shrink it; negative if the output has more, as with uncropped transposed
  /// convolutions.
  var lead: (rows: Int, columns: Int) {
    ((side * ratio - outputHeight) / 2, (side * ratio - outputWidth) / 2)
  }
  /// How far the output extends beyond the full target, on the side where it does so most.
  var excess: Int {
    let (rows, columns) = lead
    return max(
      0, -rows, -columns, rows + outputHeight - side * ratio, columns + outputWidth - side * ratio)
  }

  /// The patch geometry of a network.
  ///
  /// - Parameters:
  ///   - image: the image description.
  ///   - scale: how many times larger results are than inputs; 1 for denoising.
  ///   - patch: the side of the network's input, in pixels.
  /// - Throws: `TrainingError.recipe` for a scale that the network does not support, a patch that
  ///   it cannot process or whose output size differs from what it states, or colours that it does
  ///   not take.
  public init(
    _ graph: Graph, picture: ImageSpec, scale: Int, patch: Int
  ) throws(TrainingError) {
    guard 1...64 ~= scale else {
      throw .recipe(field: "scale", expected: "1 to 64", found: "\(scale)")
    }
    guard graph.inputs.count == 1 else {
      throw .recipe(
        field: "architecture", expected: "a network with one input",
        found: "\(graph.inputs.count)")
    }
    do {
      try picture.check(against: graph)
    } catch {
      throw .recipe(
        field: "image", expected: "colours of \(graph.inputs[0].channels) channels",
        found: "'\(picture.colour.rawValue)'")
    }
    guard picture.outputRange == nil else {
      throw TrainingError.recipe(
        field: "picture", expected: "one range of values for input and output", found: "two")
    }
    guard picture.colour != .rgba else {
      throw .recipe(
        field: "picture", expected: "colours without alpha, which training leaves out",
        found: "'rgba'")
    }
    // Enlarging by 1 does nothing.
    let enlargesFirst = picture.enlargeFirst == .bicubic && scale > 1
    let ratio = enlargesFirst ? 1 : scale
    let scales = graph.scales
    guard let output = scales.firstIndex(of: Ratio(ratio)) else {
      let found = scales.compactMap(\.self).map(PatchGeometry.text)
      throw .recipe(
        field: "scale",
        expected: found.isEmpty
          ? "a network that has one" : "\(found.joined(separator: ", ")) (the network's own)",
        found: "\(scale)")
    }
    guard picture.output == .picture || ratio == 1 else {
      throw .recipe(
        field: "scale", expected: "1 for a \(picture.output.rawValue)", found: "\(scale)")
    }
    let channels = graph.inputs[0].channels
    let shape: [Int]
    do {
      shape = try graph.shapes(for: [[1, channels, patch, patch]])[graph.outputs[output].value]
    } catch {
      throw .recipe(
        field: "batch.patch", expected: "a side that the network can work on",
        found: "\(patch) (\(error))")
    }
    let rule = graph.sizeRule(output: output)
    guard patch % rule.exactMultiple == 0 else {
      throw .recipe(
        field: "batch.patch", expected: "a multiple of \(rule.exactMultiple)", found: "\(patch)")
    }
    guard shape.count == 4, shape[1] == channels else {
      throw .recipe(
        field: "architecture", expected: "an output of \(channels) channels, as the input",
        found: "shape \(shape)")
    }
    self.scale = scale
    self.output = output
    self.enlargesFirst = enlargesFirst
    side = patch
    (outputHeight, outputWidth) = (shape[2], shape[3])
    guard picture.output == .picture || excess == 0 else {
      throw .recipe(
        field: "architecture", expected: "an output of at most \(patch)x\(patch) for a residual",
        found: "\(outputWidth)x\(outputHeight)")
    }
  }

  private static func text(_ ratio: Ratio) -> String {
    ratio.denominator == 1 ? "\(ratio.numerator)" : "\(ratio.numerator)/\(ratio.denominator)"
  }
}

// MARK: - Places

extension PatchGeometry {
  /// The shortest target side that has room for a patch, in pixels.
  var minimumSide: Int {
    let least = (first + side) * ratio + excess
    return (least + scale - 1) / scale * scale
  }

  /// The first patch position, in pixels of the network's input.
  var first: Int { (excess + ratio - 1) / ratio }

  /// The number of patch positions along a side of a target.
  func places(along side: Int) -> Int {
    max((side - excess) / ratio - self.side - first + 1, 0)
  }
}

/// A rectangle of an image's pixels.
struct Region: Hashable, Sendable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int

  /// A rectangle given by its edges.
  init(left: Int, top: Int, right: Int, bottom: Int) {
    (x, y, width, height) = (left, top, right - left, bottom - top)
  }

  /// A square given by its upper left corner.
  init(x: Int, y: Int, side: Int) {
    (self.x, self.y, width, height) = (x, y, side, side)
  }

  var right: Int { x + width }
  var bottom: Int { y + height }

  /// The region enlarged by a margin on every side, clipped to the image.
  func expanded(by margin: Int, in size: (width: Int, height: Int)) -> Region {
    Region(
      left: max(x - margin, 0), top: max(y - margin, 0),
      right: min(right + margin, size.width), bottom: min(bottom + margin, size.height))
  }

  /// The region enlarged so that its edges are at multiples of a number of pixels, clipped to the
  /// image.
  func aligned(to multiple: Int, in size: (width: Int, height: Int)) -> Region {
    func up(_ edge: Int) -> Int { (edge + multiple - 1) / multiple * multiple }
    return Region(
      left: x / multiple * multiple, top: y / multiple * multiple,
      right: min(up(right), size.width), bottom: min(up(bottom), size.height))
  }

  /// The pixels from which enlarging makes this region.
  func reduced(by scale: Int) -> Region {
    Region(
      left: x / scale, top: y / scale, right: (right + scale - 1) / scale,
      bottom: (bottom + scale - 1) / scale)
  }
}
