/// Samples an image at computed places (Jaderberg et al., "Spatial Transformer Networks", 2015), as
/// PyTorch's `grid_sample` and ONNX's `GridSample`.
///
/// Takes the image, NCHW, and a grid [N, height, width, 2] of places x, y. Gives [N, C, height, width].
public struct GridSample: Hashable, Sendable {
  /// How a place between pixels is made of them.
  public enum Mode: String, CaseIterable, Hashable, Sendable {
    /// The four pixels around it.
    case bilinear
    /// The nearest pixel, of two the one with the even number.
    case nearest
  }

  /// What stands beyond the edges.
  public enum PaddingMode: String, CaseIterable, Hashable, Sendable {
    /// Zeros.
    case zeros
    /// The nearest pixel of the edge.
    case border
    /// The image, mirrored.
    case reflection
  }

  /// What the grid's numbers are.
  public enum Coordinates: String, CaseIterable, Hashable, Sendable {
    /// Places, of which -1 and 1 are the image's edges.
    case normalized
    /// Distances, in pixels of the image, from where the pixel lies when the image is resized to the
    /// size of the grid, by the centres of pixels: what DySample (Liu et al., "Learning to Upsample
    /// by Learning to Sample", 2023) and optical flow say, for every size.
    case offsets
  }

  /// How a place between pixels is made of them.
  public var mode: Mode
  /// What stands beyond the edges.
  public var paddingMode: PaddingMode
  /// Whether -1 and 1 are the centres of the first and last pixels, and not their outer edges.
  public var alignCorners: Bool
  /// What the grid's numbers are.
  public var coordinates: Coordinates

  /// PyTorch's defaults.
  public init(
    mode: Mode = .bilinear, paddingMode: PaddingMode = .zeros, alignCorners: Bool = false,
    coordinates: Coordinates = .normalized
  ) {
    (self.mode, self.paddingMode) = (mode, paddingMode)
    (self.alignCorners, self.coordinates) = (alignCorners, coordinates)
  }
}

extension GridSample: Operation {
  package static let names = ["gridSample"]
  package var name: String { "gridSample" }
  package var op: Op { .gridSample(self) }
  package var inputCount: ClosedRange<Int> { 2...2 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      mode: try a.word("mode", default: .bilinear),
      paddingMode: try a.word("paddingMode", default: .zeros),
      alignCorners: try a.bool("alignCorners", default: false),
      coordinates: try a.word("coordinates", default: .normalized))
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("mode", .string(mode.rawValue), .string(Mode.bilinear.rawValue)),
      ("paddingMode", .string(paddingMode.rawValue), .string(PaddingMode.zeros.rawValue)),
      ("alignCorners", .bool(alignCorners), false),
      (
        "coordinates", .string(coordinates.rawValue), .string(Coordinates.normalized.rawValue)
      ))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    guard coordinates == .normalized || !alignCorners else {
      throw .attribute(
        node: check.node, "alignCorners", expected: "false with offsets", found: "true")
    }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let (image, grid) = (inputs[0], inputs[1])
    try Self.expectImage(image)
    guard grid.count == 4, grid[3] == 2 else {
      throw .rank(expected: "a grid [images, height, width, 2]", found: grid)
    }
    guard image[0] == grid[0] else { throw .mismatch(image, grid) }
    guard image[2] > 0, image[3] > 0 else {
      throw .tooSmall(needed: "1 pixel a side", found: image)
    }
    return [image[0], image[1], grid[1], grid[2]]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    // The grid's values may point anywhere. Its dimensions are one less than those of an image.
    .whole(
      reason: "\(name) may take any pixel of the image",
      size: .dimension(axis.dimension - 1, ofInput: 1))
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Value {
  /// The image's values at the places of a grid [N, height, width, 2].
  public func gridSample(_ grid: Value, _ sampling: GridSample = GridSample()) -> Value {
    builder.add(.gridSample(sampling), [self, grid])
  }
}
