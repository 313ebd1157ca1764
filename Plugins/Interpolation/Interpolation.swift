internal import AviaryGraph

/// The methods that networks are compared with: architectures without weights, so that they run and
/// are evaluated by name like any other. Beyond the edges the image is mirrored, as MATLAB's
/// `imresize` does.
struct InterpolationConfiguration: ArchitectureConfiguration {
  var channels = 3
  var scale = 2

  var problem: String? {
    (1...64).contains(scale) ? nil : "scale: expected 1 to 64, found \(scale)"
  }
}

/// One such method.
protocol Interpolation: Architecture where Configuration == InterpolationConfiguration {
  /// How neighbours are weighed.
  static var kernel: Resize.Kernel { get }
}

extension Interpolation {
  static var presets: KeyValuePairs<String, InterpolationConfiguration> {
    ["x2": .init(), "x3": .init(scale: 3), "x4": .init(scale: 4)]
  }

  static func build(_ c: InterpolationConfiguration, _ input: Value) -> [Value] {
    [input.resize(kernel, by: c.scale, edge: .symmetric)]
  }
}

/// The nearest pixel, repeated.
enum Nearest: Interpolation {
  static let info = ArchitectureInfo("nearest", summary: "The nearest pixel, repeated")
  static let kernel = Resize.Kernel.nearest
}

/// Between the two nearest pixels of each axis.
enum Bilinear: Interpolation {
  static let info = ArchitectureInfo("bilinear", summary: "Linear interpolation")
  static let kernel = Resize.Kernel.linear
}

/// Cubic convolution with a = -0.5, as MATLAB has it.
enum Bicubic: Interpolation {
  static let info = ArchitectureInfo(
    "bicubic", summary: "Cubic convolution, a = -0.5, as MATLAB has it",
    paper: "https://doi.org/10.1109/TASSP.1981.1163711")
  static let kernel = Resize.Kernel.cubic(a: -0.5)
}

/// A windowed sinc over six pixels of each axis.
enum Lanczos: Interpolation {
  static let info = ArchitectureInfo("lanczos", summary: "A windowed sinc of three lobes")
  static let kernel = Resize.Kernel.lanczos(lobes: 3)
}

@section("aviary_architectures") @used
private let nearest: Registration = { unsafe register(Nearest.self, $0) }
@section("aviary_architectures") @used
private let bilinear: Registration = { unsafe register(Bilinear.self, $0) }
@section("aviary_architectures") @used
private let bicubic: Registration = { unsafe register(Bicubic.self, $0) }
@section("aviary_architectures") @used
private let lanczos: Registration = { unsafe register(Lanczos.self, $0) }
