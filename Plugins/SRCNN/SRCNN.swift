internal import AviaryGraph

/// The first convolutional network for super-resolution: patch extraction, mapping, reconstruction.
///
/// Dong, Loy, He, Tang: Image Super-Resolution Using Deep Convolutional Networks. It works on
/// images enlarged to their final size. As published it pads nothing; most re-implementations do.
enum SRCNN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    enum Padding: String, Codable, Sendable { case same, valid }

    var channels = 1
    var filters = [64, 32]
    var kernels = [9, 5, 5]
    var padding = Padding.same
    var activation = Nonlinearity.relu
    var scale: Int { 1 }

    var problem: String? {
      filters.count == 2 && kernels.count == 3
        ? nil
        : "filters and kernels: expected 2 and 3, found \(filters.count) and \(kernels.count)"
    }
  }

  static let info = ArchitectureInfo(
    "srcnn", summary: "Three convolutions on an enlarged image",
    paper: "https://arxiv.org/abs/1501.00092")

  static let presets: KeyValuePairs = [
    "9-5-5": Configuration(),
    "9-3-5": Configuration(kernels: [9, 3, 5]),
    "9-1-5": Configuration(kernels: [9, 1, 5]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func convolution(_ x: Value, _ layer: Int, _ filters: Int) -> Value {
      x.convolution(
        "conv\(layer)", filters, kernel: Size(c.kernels[layer - 1]),
        padding: c.padding == .same ? .same : .valid)
    }
    let activation = c.activation.activation
    let patches = convolution(input, 1, c.filters[0]).activation(activation)
    let mapped = convolution(patches, 2, c.filters[1]).activation(activation)
    return [convolution(mapped, 3, c.channels)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let layers = (1...3).compactMap { weights.convolution("conv\($0)") }
    guard layers.count == 3 else { return [] }
    let c = Configuration(
      channels: layers[0][1], filters: [layers[0][0], layers[1][0]], kernels: layers.map { $0[2] })
    return [
      Proposal(c, assumed: ["activation", "padding"], alternatives: ["activation": ["tanh"]])
    ]
  }

  static let publishedNames = [
    NameMap(
      "Nhat-Thanh/SRCNN-Pytorch",
      ["patch_extraction": "conv1", "nonlinear_map": "conv2", "recon": "conv3"])
  ]

  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(c.channels == 1 ? .luma : .rgb, enlargeFirst: .bicubic)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SRCNN.self, $0) }
