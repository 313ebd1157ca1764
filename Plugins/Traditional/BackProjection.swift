internal import AviaryGraph

/// What the methods without weights that enlarge by a whole factor are configured by.
struct TraditionalConfiguration: ArchitectureConfiguration {
  var channels = 3
  var scale = 2
  /// How often what is lost when the result is made small again is given back.
  var iterations = 5

  var problem: String? {
    guard (1...16).contains(scale) else { return "scale: expected 1 to 16, found \(scale)" }
    return (0...64).contains(iterations)
      ? nil : "iterations: expected 0 to 64, found \(iterations)"
  }

  static func presets(iterations: Int) -> KeyValuePairs<String, TraditionalConfiguration> {
    [
      "x2": .init(iterations: iterations), "x3": .init(scale: 3, iterations: iterations),
      "x4": .init(scale: 4, iterations: iterations),
    ]
  }
}

extension Value {
  /// Cubic interpolation as MATLAB's `imresize` does it.
  func enlarged(_ scale: Int, _ kernel: Resize.Kernel = .cubic(a: -0.5)) -> Value {
    resize(kernel, by: scale, edge: .symmetric)
  }

  /// The image made smaller as MATLAB's `imresize` does it.
  func reduced(_ scale: Int) -> Value {
    applying(
      .resize(
        Resize(
          .cubic(a: -0.5), to: .factor(Ratio(1, scale)), edge: .symmetric, antialias: true)))
  }

  /// This enlargement, corrected until it becomes the small image again when it is reduced.
  func backProjected(onto image: Value, _ scale: Int, iterations: Int) -> Value {
    (0..<iterations).reduce(self) { result, _ in
      let lost = image.applying(.binary(.subtract), result.reduced(scale))
      return result.applying(.binary(.add), lost.enlarged(scale))
    }
  }
}

/// A bicubic enlargement that is corrected by what it loses when it is made small again.
enum BackProjection: Architecture {
  typealias Configuration = TraditionalConfiguration

  static let info = ArchitectureInfo(
    "back-projection",
    summary: "Bicubic, corrected by what it loses when it is made small again",
    paper: "https://doi.org/10.1016/1049-9652(91)90045-L")

  static let presets = TraditionalConfiguration.presets(iterations: 5)

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [input.enlarged(c.scale).backProjected(onto: input, c.scale, iterations: c.iterations)]
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(BackProjection.self, $0) }
