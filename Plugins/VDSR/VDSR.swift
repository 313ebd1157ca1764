internal import AviaryGraph

/// Twenty convolutions that find what an enlarged image lacks; one set of weights for all scales.
///
/// Kim, Lee, Lee: Accurate Image Super-Resolution Using Very Deep Convolutional Networks.
enum VDSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 1
    var features = 64
    /// Convolutions in all.
    var layers = 20
    var bias = true
    var activation = Nonlinearity.relu
    var scale: Int { 1 }

    var problem: String? {
      (2...1_000).contains(layers) ? nil : "layers: expected 2 to 1000, found \(layers)"
    }
  }

  static let info = ArchitectureInfo(
    "vdsr", summary: "Twenty convolutions find what an enlarged image lacks",
    paper: "https://arxiv.org/abs/1511.04587")

  static let presets: KeyValuePairs = ["default": Configuration()]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func layer(_ x: Value, _ name: String) -> Value {
      x.convolution(name, c.features, kernel: 3, bias: c.bias).activation(c.activation.activation)
    }
    var x = layer(input, "input")
    for i in 0..<c.layers - 2 { x = layer(x, "layers.\(i)") }
    return [x.convolution("output", c.channels, kernel: 3, bias: c.bias) + input]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("input") else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], layers: 2 + weights.count(of: "layers"),
          bias: weights["input.bias"] != nil),
        assumed: ["activation"], alternatives: ["activation": ["tanh"]])
    ]
  }

  static let publishedNames = [
    NameMap("twtygqyy/pytorch-vdsr", ["residual_layer.{i}.conv": "layers.{i}"]),
    NameMap(
      "Nhat-Thanh/VDSR-Pytorch",
      ["conv_1": "input", "conv_2_to_19.conv_{i+2}": "layers.{i}", "conv_20": "output"]),
  ]

  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(c.channels == 1 ? .luma : .rgb, enlargeFirst: .bicubic, scales: [2, 3, 4])
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(VDSR.self, $0) }
