public import AviaryGraph

/// How patches of pictures lie to each other: what a network is given, and what it ought to make of
/// it.
public struct PatchGeometry: Hashable, Sendable {
  /// How many times as large targets are as what is to be restored.
  public let scale: Int
  /// Which of the graph's outputs is trained: the one of the scale, as when pictures are enlarged.
  public let output: Int
  /// The side of what the network is given, in pixels.
  public let side: Int
  /// The rows of the network's output.
  public let outputHeight: Int
  /// The columns of the network's output.
  public let outputWidth: Int
  /// Whether pictures are enlarged bicubically first, so that the network's input has the target's
  /// size.
  public let enlargesFirst: Bool

  /// The target's pixels for each of the network's input.
  var ratio: Int { enlargesFirst ? 1 : scale }
  /// Rows and columns of the whole target that the output lacks at the beginning, since convolutions
  /// without padding cost a rim; below 0 where it has more, as transposed ones without crops make it.
  var lead: (rows: Int, columns: Int) {
    ((side * ratio - outputHeight) / 2, (side * ratio - outputWidth) / 2)
  }
  /// How far the output reaches beyond the whole target, on that side where it does most.
  var excess: Int {
    let (rows, columns) = lead
    return max(
      0, -rows, -columns, rows + outputHeight - side * ratio, columns + outputWidth - side * ratio)
  }

  /// The patches of a network.
  ///
  /// - Parameters:
  ///   - picture: how it takes pictures and gives them back.
  ///   - scale: how many times as large results are as what is to be restored; 1 for denoising.
  ///   - patch: the side of what the network is given, in pixels.
  /// - Throws: `TrainingError.recipe` for a scale that the network does not have, a patch that it
  ///   cannot work on or gives another size for than it says, colours that it does not take.
  public init(
    _ graph: Graph, picture: Picture, scale: Int, patch: Int
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
        field: "picture", expected: "colours of \(graph.inputs[0].channels) channels",
        found: "'\(picture.colour.rawValue)'")
    }
    // Enlarging by 1 changes nothing.
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
  /// The shortest side of a target that has a place for a patch, in pixels.
  var minimumSide: Int {
    let least = (first + side) * ratio + excess
    return (least + scale - 1) / scale * scale
  }

  /// The first place of a patch, in pixels of the network's input.
  var first: Int { (excess + ratio - 1) / ratio }

  /// How many places for patches there are along a side of a target.
  func places(along side: Int) -> Int {
    max((side - excess) / ratio - self.side - first + 1, 0)
  }
}
