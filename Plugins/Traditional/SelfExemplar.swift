internal import AviaryGraph

/// Detail that an image shows at a smaller scale of itself: each of its patches of 3x3 pixels looks for
/// the nearest patch in the image made smaller, and the detail that this place lost by being made smaller
/// is pasted into the enlargement, where patches overlap as their mean.
///
/// After Glasner, Bagon, Irani: Super-Resolution from a Single Image (2009). Patches are looked for within
/// windows, so that time and memory grow with the image and not with its square.
enum SelfExemplar: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    /// Side of the windows, in pixels of the small image; rounded down to a multiple of the scale.
    var window = 32
    /// How much of the detail is added.
    var gain = 0.5
    /// How often what is lost when the result is made small again is given back.
    var iterations = 2

    var problem: String? {
      guard (2...8).contains(scale) else { return "scale: expected 2 to 8, found \(scale)" }
      guard (4 * scale...128).contains(window) else {
        return "window: expected \(4 * scale) to 128, found \(window)"
      }
      return (0...64).contains(iterations)
        ? nil : "iterations: expected 0 to 64, found \(iterations)"
    }
  }

  static let info = ArchitectureInfo(
    "self-exemplar",
    summary: "Detail from the nearest patches of the image made smaller",
    paper: "https://doi.org/10.1109/ICCV.2009.5459271")

  static let presets: KeyValuePairs = [
    "x2": Configuration(), "x3": Configuration(scale: 3), "x4": Configuration(scale: 4),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let side = c.window / c.scale
    let image = input.padded(toMultiple: Size(side * c.scale), .edge)
    let small = image.reduced(c.scale)
    let lost = image.applying(.binary(.subtract), small.enlarged(c.scale))

    let queries = patches(image).windows(WindowPartition(Size(side * c.scale)))
    let keys = patches(small).windows(WindowPartition(Size(side)))
    // The nearest has the largest product, less half its own square.
    let squares = keys.applying(.reduce(Reduction(.sumOfSquares, dimensions: [4])))
      .applying(.scale(Scale([0.5])))
    let turned = Op.permute(Permute([0, 1, 2, 4, 3]))
    let nearness = queries.applying(.matmul, keys.applying(turned))
      .applying(.binary(.subtract), squares.applying(turned))
    let nearest = nearness.applying(.argReduction(ArgReduction(.argmax, dimension: 4)))

    // What each place of the small image stands for, with as much about it on every side.
    let reach = 3 * c.scale
    let details =
      lost.applying(
        .unfold(
          Unfold(
            kernel: Size(reach), stride: Size(c.scale),
            padding: .explicit(PaddingAmounts(c.scale, c.scale, c.scale, c.scale))))
      )
      .windows(WindowPartition(Size(side)))
    let count = c.channels * reach * reach
    let found = details.applying(
      .gatherElements(GatherElements(dimension: 3)),
      nearest.applying(.tile(Tile([1, 1, 1, 1, count])))
    ).image(WindowReverse(Size(side * c.scale)))

    // With one place more on every side, each pixel has nine patches.
    let pasted = found.applying(.pad(Pad(PaddingAmounts(1, 1, 1, 1), .edge)))
      .applying(
        .fold(
          Fold(
            kernel: Size(reach), stride: Size(c.scale),
            padding: PaddingAmounts(2 * c.scale, 2 * c.scale, 2 * c.scale, 2 * c.scale)))
      )
      .applying(.scale(Scale([c.gain / 9])))
      .cropped(toSizeOf: input, times: c.scale)
    let result = input.enlarged(c.scale).applying(.binary(.add), pasted)
    return [result.backProjected(onto: input, c.scale, iterations: c.iterations)]
  }

  /// The 3x3 pixels about each pixel, less their mean.
  private static func patches(_ image: Value) -> Value {
    let all = image.applying(.pad(Pad(PaddingAmounts(1, 1, 1, 1), .edge)))
      .applying(.unfold(Unfold(kernel: 3)))
    return all.applying(
      .binary(.subtract), all.applying(.reduce(Reduction(.mean, dimensions: [1]))))
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SelfExemplar.self, $0) }
